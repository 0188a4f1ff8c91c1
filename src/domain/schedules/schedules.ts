import type { ClusterName } from '../names.ts';
import type { Schedule, SchedulePatch } from '../policies/schedule.ts';

export interface Schedules {
  get(cluster: ClusterName): Promise<Schedule>;
  update(request: ClusterName & { patch: SchedulePatch }): Promise<Schedule>;
  /** Takes all items away; nothing else changes, and what was taken stays until its time is over. */
  delete(cluster: ClusterName): Promise<Schedule>;
}
