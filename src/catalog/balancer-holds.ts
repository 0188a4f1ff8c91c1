import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { BalancerHoldRow } from './schema.ts';

export async function findBalancerHold(reader: CatalogReader, clusterId: string): Promise<BalancerHoldRow | undefined> {
  return await reader.selectFrom('balancerHolds').selectAll().where('clusterId', '=', clusterId).executeTakeFirst();
}

export async function allBalancerHolds(reader: CatalogReader): Promise<BalancerHoldRow[]> {
  return await reader.selectFrom('balancerHolds').selectAll().orderBy('clusterId').execute();
}

/** False where it is held already, whoever holds it. */
export async function writeBalancerHold(writer: CatalogWriter, hold: BalancerHoldRow): Promise<boolean> {
  const result = await writer
    .insertInto('balancerHolds')
    .values(hold)
    .onConflict((conflict) => conflict.column('clusterId').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/** Only that hold: another task's stays. */
export async function eraseBalancerHold(
  writer: CatalogWriter,
  { clusterId, taskId }: Pick<BalancerHoldRow, 'clusterId' | 'taskId'>,
): Promise<void> {
  await writer
    .deleteFrom('balancerHolds')
    .where('clusterId', '=', clusterId)
    .where('taskId', 'is not distinct from', taskId)
    .execute();
}
