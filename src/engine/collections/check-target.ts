import { Fault } from '../../lib/errors.ts';
import { isShardedHello } from '../../mongo/cluster-replica-sets.ts';
import { redactUri } from '../../mongo/connection/connect.ts';
import { codeOf } from '../../mongo/errors.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { listTarget, listTargetDatabases, roomOnTarget, type TargetEntry } from '../../mongo/target-catalog.ts';
import { readClusterFacts } from '../../mongo/topology.ts';
import { storedBytesOf } from '../../repository/format/layer-blobs.ts';
import type { ManifestHeader } from '../../repository/format/manifest.ts';
import { admitTarget } from '../restore/preflight/admit-target.ts';
import { FULL_SHARE } from '../restore/preflight/require-room.ts';
import type { RestoreLimits } from '../restore/preflight/restore-limits.ts';
import { refuseVersion } from '../restore-plan.ts';
import type { ChosenCollection } from './backup/select-collections.ts';
import { diskFull } from './stage-collections.ts';

const UNAUTHORIZED = 13;

/**
 * A replica set with a primary that a majority follows, of a version that takes the snapshot, and no part of a sharded
 * cluster. Nothing is written but a note in the oplog. Gives the target in the form to work with.
 */
export async function requireTarget(
  target: RestoreTarget,
  header: ManifestHeader,
  uri: string,
  { majorityMsMax }: Pick<RestoreLimits, 'majorityMsMax'>,
): Promise<RestoreTarget> {
  const name = redactUri(uri);
  const hello = await target.command('admin', { hello: 1 });
  if (isShardedHello(hello) || (await isShard(target))) {
    throw new Fault({
      op: 'restore collections',
      subject: name,
      message: `${name} leads to a sharded cluster; chosen collections can be restored to a replica set only, because nothing says on which shard their documents belong`,
      hint: 'Restore to a replica set and move the documents from there through a mongos',
    });
  }
  const facts = await readClusterFacts(target.client, name);
  refuseVersion(header, facts);
  if (hello.isWritablePrimary === true)
    return await admitTarget(target, { op: 'restore collections', name, facts, majorityMsMax });
  throw new Fault({
    op: 'restore collections',
    subject: name,
    message: `${name} has no primary that can be written to`,
    retryable: true,
    hint: 'Restore to the whole replica set (no directConnection to a secondary) once it has a primary',
  });
}

/** Who may not read it cannot write here as a restore has to, but that is said where it fails. */
async function isShard(target: RestoreTarget): Promise<boolean> {
  try {
    const found = await target.command('admin', {
      find: 'system.version',
      filter: { _id: 'shardIdentity' },
      limit: 1,
    });
    return found.cursor.firstBatch.length > 0;
  } catch (error) {
    if (codeOf(error) === UNAUTHORIZED) return false;
    throw error;
  }
}

/** What is on the target in every database that may be written to; of the others only that they are there. */
export async function targetNames(
  target: RestoreTarget,
  chosen: readonly ChosenCollection[],
): Promise<Map<string, Map<string, TargetEntry>>> {
  const wanted = new Set(chosen.map((one) => one.target.db));
  const names = new Map<string, Map<string, TargetEntry>>();
  for (const db of await listTargetDatabases(target))
    names.set(db, wanted.has(db) ? await listTarget(target, db) : new Map());
  return names;
}

/**
 * Refuses what is sure not to fit: stored documents are compressed more than a server's are, and indexes come on top.
 * Until the end everything is there twice.
 */
export async function requireRoom(
  target: RestoreTarget,
  chosen: readonly ChosenCollection[],
  { atPoint }: { atPoint: boolean },
): Promise<void> {
  const db = chosen[0]?.target.db ?? 'admin';
  const room = await roomOnTarget(target, db);
  if (room === null) return;
  // Of several shards one part becomes the whole, and the others are there beside it for a while.
  const beside = atPoint ? chosen.flatMap(({ parts }) => parts.slice(1).flatMap(({ entry }) => entry.layers)) : [];
  const layers = [...chosen.flatMap(({ documents }) => documents?.layers ?? []), ...beside];
  const needed = layers.reduce((sum, layer) => sum + storedBytesOf(layer), 0);
  const then = { ...room, used: room.used + needed };
  if (then.used > then.total * FULL_SHARE) throw diskFull(redactedHost(target), then);
}

function redactedHost(target: RestoreTarget): string {
  return target.client.options.hosts.map(String).join(',');
}
