import { countTasks } from '../../catalog/tasks.ts';
import type { DomainContext } from '../context.ts';
import type { SystemInformation, SystemStatus } from './system-information.ts';

export function createSystemInformation(
  { catalog, clock }: DomainContext,
  repository: SystemStatus['repository'],
): SystemInformation {
  const startedAtMs = clock.nowMs();
  return {
    status: async () => ({
      repository,
      catalogSchemaVersion: catalog.schemaVersion,
      tasksQueued: await countTasks(catalog.reader, 'queued'),
      tasksRunning: await countTasks(catalog.reader, 'running'),
      startedAtMs,
    }),
  };
}
