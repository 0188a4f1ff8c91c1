/** A database and a collection, kept apart: a collection's name may contain dots. */
export interface Namespace {
  db: string;
  name: string;
}

export function formatNamespace(namespace: Namespace): string {
  return `${namespace.db}.${namespace.name}`;
}

export function parseNamespace(text: string): Namespace {
  const dot = text.indexOf('.');
  return dot < 0 ? { db: text, name: '' } : { db: text.slice(0, dot), name: text.slice(dot + 1) };
}

/**
 * What the servers keep for themselves in `config`: node- or cluster-specific, rebuilt by its owner, harmful on another
 * cluster.
 */
const CONFIG_INTERNAL = new Set([
  'actionlog',
  'analyzeShardKeySplitPoints',
  'changelog',
  'collection_critical_sections',
  'external_validation_keys',
  'image_collection',
  'localReshardingOperations.donor',
  'localReshardingOperations.recipient',
  'localReshardingOperations.recipient.progress_applier',
  'localReshardingOperations.recipient.progress_fetcher',
  'localReshardingOperations.recipient.progress_txn_cloner',
  'localRenameParticipants',
  'localShardSplitDonors',
  'lockpings',
  'locks',
  'migrationCoordinators',
  'migrationRecipients',
  'migrations',
  'mongos',
  'placementHistory',
  'queryAnalyzers',
  'recipientConfigurations',
  'reshardingOperations',
  'sampledQueries',
  'sampledQueriesDiff',
  'sharding_configdb.coordinators',
  'sharding_ddl_coordinators',
  'shardSplitDonors',
  'tenantMigrationDonors',
  'tenantMigrationRecipients',
  'tenantSplitDonors',
  'transaction_coordinators',
  'transactions',
  'vectorClock',
  'vectorClockState',
]);

/**
 * Whether a collection is part of a snapshot. Left out: what belongs to the node or the cluster and not to the data
 * (see docs/consistency.md). `system.views` is left out because views are listings, re-created as such.
 */
export function isTaken(namespace: Namespace): boolean {
  const { db, name } = namespace;
  if (db === 'local' || db.startsWith('__mdb_internal')) return false;
  if (name === 'system.profile' || name === 'system.views') return false;
  if (name.startsWith('system.resharding.') || name === 'system.sharding_ddl_coordinators') return false;
  if (db === 'config') return !CONFIG_INTERNAL.has(name) && !name.startsWith('system.') && !name.startsWith('cache.');
  if (db === 'admin') return name !== 'system.keys' && name !== 'system.new_users' && name !== 'system.backup_users';
  return true;
}

export function isTakenDatabase(db: string): boolean {
  return db !== 'local' && !db.startsWith('__mdb_internal');
}

/** Order of the manifest: by bytes, as the format says. */
export function compareNamespaces(a: Namespace, b: Namespace): number {
  return (
    Buffer.compare(Buffer.from(a.db), Buffer.from(b.db)) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
  );
}
