import type { CatalogReader } from '../../catalog/catalog.ts';
import { findSchedule } from '../../catalog/schedules.ts';
import { RESTORE_WINDOW_DAYS_DEFAULT } from '../policies/schedule-rules.ts';

/** How far back a cluster can be restored to any second: what its schedule says, or what a new schedule would. */
export async function restoreWindowDays(reader: CatalogReader, clusterId: string): Promise<number> {
  return (await findSchedule(reader, clusterId))?.restoreWindowDays ?? RESTORE_WINDOW_DAYS_DEFAULT;
}
