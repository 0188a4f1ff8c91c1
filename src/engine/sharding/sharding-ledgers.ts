import type { Namespace } from '../../bson/namespace.ts';

/**
 * Where servers keep what they are about to do, from before the first step to after the last: while one of these holds
 * something, routing metadata and data of a collection may tell different stories. Absent ones are empty. All in
 * `config`, of shards and config servers.
 */
export const UNDER_WAY = [
  ['migrationCoordinators', 'a migration'],
  ['migrationRecipients', 'a migration'],
  ['migrations', 'a migration'],
  ['system.sharding_ddl_coordinators', 'a change of the sharded catalog'],
  ['reshardingOperations', 'a resharding'],
  ['localReshardingOperations.donor', 'a resharding'],
  ['localReshardingOperations.recipient', 'a resharding'],
] as const;

/** Of the config servers: who owns what. */
const ROUTING = ['databases', 'collections', 'chunks', 'shards', 'tags', 'settings'];
/** Of a shard: its orphans that wait to be deleted. */
const RANGE_DELETIONS = 'rangeDeletions';

const LEDGERS = new Set<string>([...ROUTING, RANGE_DELETIONS, ...UNDER_WAY.map(([name]) => name)]);

/**
 * Whether what a replica set of a sharded cluster holds there is not data to be loaded but something to be understood
 * first.
 */
export function isLedger({ db, name }: Namespace): boolean {
  return db === 'config' && LEDGERS.has(name);
}
