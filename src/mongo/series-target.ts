import type { Namespace } from '../bson/namespace.ts';
import { assert } from '../lib/assert.ts';
import { asFault } from './errors.ts';
import { SourceMember } from './source-member.ts';
import type { RestoreTarget } from './target.ts';
import { dropFromTarget } from './target-catalog.ts';

const BUCKETS = 'system.buckets.';

/**
 * Makes a time series whose buckets have that UUID, by which all shards know those of a sharded one. `create` takes no
 * UUID, and an oplog's entry makes buckets alone. A server makes the view for buckets that are there where they have
 * exactly the options that it would give them, the validator too, which differs between patch releases (6.0.5,
 * 6.0.27). So it is asked what these are: the series is made once, empty, and dropped again. `view`: only its
 * database's primary shard has that. `info`: the raw `listCollections` entry of the series; its documents do not expire
 * before `letExpire`.
 */
export async function createSeriesByOplog(
  target: RestoreTarget,
  { db, name }: Namespace,
  { info, uuid, view }: { info: Buffer; uuid: string; view: boolean },
): Promise<void> {
  assert(!name.startsWith(BUCKETS), 'a series has a name of its own');
  await target.create(db, name, info);
  const buckets = await listedBuckets(target, { db, name: BUCKETS + name });
  // A server without them makes no such series: the trial before the restore has said so.
  if (buckets === null) return;
  await dropFromTarget(target, { db, name });
  await target.createByOplog(db, BUCKETS + name, buckets, uuid);
  if (view) await target.create(db, name, info);
}

/** The raw listing entry. */
async function listedBuckets(target: RestoreTarget, { db, name }: Namespace): Promise<Buffer | null> {
  const member = new SourceMember(target.client, 'the target');
  const session = member.startSession();
  try {
    const batch = await member.rawCursor(db, { listCollections: 1, filter: { name } }, session, target.signal);
    assert(batch.count <= 1, 'a name is listed once');
    return batch.count === 0 ? null : Buffer.from(batch.documents);
  } catch (error) {
    throw asFault(error, 'list collections', `${db}.${name}`);
  } finally {
    await session.endSession();
  }
}
