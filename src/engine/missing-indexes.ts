import { findElement } from '../bson/raw-bson.ts';
import type { CollectionEntry, Manifest } from '../repository/format/manifest.ts';
import { replicaSetsOf } from '../repository/format/manifest-replica-sets.ts';

/** Indexes that servers build by themselves with these collections, whoever creates them. */
const BUILT_BY_SERVERS = [
  { namespace: 'admin.system.users', index: 'user_1_db_1' },
  { namespace: 'admin.system.roles', index: 'role_1_db_1' },
] as const;

/**
 * - `lost`: a collection lacks an index that every server builds, so the catalog was listed by a member that builds
 *   none (`buildIndexes: false`): all secondary indexes are missing.
 * - `unknown`: no collection has a secondary index, and nothing is there that would tell whether the source had none or
 *   they were lost.
 * - `kept`: there are secondary indexes, or nothing that could have some.
 */
export type IndexEvidence = 'lost' | 'unknown' | 'kept';

/**
 * What a stored snapshot tells of whether its indexes are those of the source: versions before December 2026 listed
 * them on whatever member they read. Of a sharded snapshot the worst of its replica sets. Pure.
 */
export function indexEvidence(manifest: Manifest): IndexEvidence {
  const found = replicaSetsOf(manifest).map((one) => evidenceOf(one.manifest.collections));
  return found.find((one) => one === 'lost') ?? found.find((one) => one === 'unknown') ?? 'kept';
}

function evidenceOf(collections: readonly CollectionEntry[]): IndexEvidence {
  const stored = collections.filter((entry) => entry.type === 'collection');
  const names = new Map(stored.map((entry) => [`${entry.db}.${entry.name}`, entry.indexes.map(nameOf)]));
  if ([...names.values()].some((own) => own.some((name) => name !== '_id_'))) return 'kept';
  if (BUILT_BY_SERVERS.some(({ namespace, index }) => names.get(namespace)?.includes(index) === false)) return 'lost';
  const ownData = stored.some(({ db }) => db !== 'admin' && db !== 'config');
  return ownData ? 'unknown' : 'kept';
}

function nameOf(index: Buffer): string {
  const name = findElement(index, 0, 'name');
  return name === null ? '' : index.toString('utf8', name.start + 4, name.end - 1);
}
