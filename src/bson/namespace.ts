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
 * cluster (whoever gets `user_writes_critical_sections` takes no writes any more). Source: the server's list of its own
 * namespaces, 5.0 to 9.0. Not among them are `clusterParameters` and `queryShapeRepresentativeQueries`: they hold what
 * users have set, query settings among it.
 */
const CONFIG_INTERNAL = new Set([
  'actionlog',
  'agg_temp_collections',
  'analyzeShardKeySplitPoints',
  'change_stream_coordinator',
  'changelog',
  'collection_critical_sections',
  'compact_structured_encryption_coordinator',
  'csrs.indexes',
  'dropPendingDBs',
  'external_validation_keys',
  'image_collection',
  'localGlobalIndexOperations.cloner',
  'localMigrationBlockingOperations.multiUpdateCoordinators',
  'localRenameParticipants',
  'localReshardingOperations.donor',
  'localReshardingOperations.recipient',
  'localReshardingOperations.recipient.progress_applier',
  'localReshardingOperations.recipient.progress_fetcher',
  'localReshardingOperations.recipient.progress_txn_cloner',
  'localReshardingResumeData.recipient',
  'localShardSplitDonors',
  'lockpings',
  'locks',
  'migrationCoordinators',
  'migrationRecipients',
  'migrations',
  'mongos',
  'movePrimaryDonors',
  'movePrimaryRecipients',
  'movePrimaryRecipients.applierProgress',
  'placementHistory',
  'queryAnalyzers',
  'rangeDeletionsForRename',
  'recipientConfigurations',
  'reshardingOperations',
  'sampledQueries',
  'sampledQueriesDiff',
  'shard.catalog.chunks',
  'shard.catalog.collections',
  'shard.catalog.databases',
  'shard.collections',
  'shard.indexes',
  'sharding_configdb.coordinators',
  'sharding_configsvr_coordinators',
  'sharding_ddl_coordinators',
  'shardMergeRecipients',
  'shardRemovalLog',
  'shardSplitDonors',
  'tenantMigrationDonors',
  'tenantMigrationRecipients',
  'tenantSplitDonors',
  'transaction_coordinators',
  'transactions',
  'user_writes_critical_sections',
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
