export interface SystemInformation {
  status(): Promise<SystemStatus>;
}

export interface SystemStatus {
  repository: { id: string; encrypted: boolean; description: string };
  catalogSchemaVersion: number;
  tasksQueued: number;
  tasksRunning: number;
  startedAtMs: number;
}
