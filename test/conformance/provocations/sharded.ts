import type { Kit } from './provocation.ts';

const REPLICA_SET = 'ab'.repeat(12);

/** From now on the cluster is a sharded one. */
export async function turnClusterSharded({ world }: Kit): Promise<void> {
  const before = world.probe;
  world.probe = async (uri, call) => ({ ...(await before(uri, call)), topology: 'sharded' });
  await world.catalog.transact(async (writer) => {
    await writer.updateTable('clusters').set({ type: 'sharded' }).execute();
  });
}

/** A completed snapshot of a sharded cluster. Gives the id of one of its replica sets. */
export async function replicaSetOfSharded(kit: Kit): Promise<string> {
  await kit.completed();
  await turnClusterSharded(kit);
  const replicaSets = [{ id: REPLICA_SET, shardName: 's0', configServer: false, replicaSetName: 'rs0' }];
  await kit.world.catalog.transact(async (writer) => {
    await writer
      .updateTable('snapshots')
      .set({ type: 'sharded', members: JSON.stringify(replicaSets) })
      .execute();
  });
  return REPLICA_SET;
}
