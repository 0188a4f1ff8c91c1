import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { BalancerHoldRow } from './schema.ts';

export async function findBalancerHold(reader: CatalogReader, clusterId: string): Promise<BalancerHoldRow | undefined> {
  return await reader.selectFrom('balancerHolds').selectAll().where('clusterId', '=', clusterId).executeTakeFirst();
}

export async function allBalancerHolds(reader: CatalogReader): Promise<BalancerHoldRow[]> {
  return await reader.selectFrom('balancerHolds').selectAll().orderBy('clusterId').execute();
}

/** One that is written down already keeps its time. */
export async function writeBalancerHold(writer: CatalogWriter, hold: BalancerHoldRow): Promise<void> {
  await writer
    .insertInto('balancerHolds')
    .values(hold)
    .onConflict((conflict) => conflict.column('clusterId').doNothing())
    .execute();
}

export async function eraseBalancerHold(writer: CatalogWriter, clusterId: string): Promise<void> {
  await writer.deleteFrom('balancerHolds').where('clusterId', '=', clusterId).execute();
}
