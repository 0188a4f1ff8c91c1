import assert from 'node:assert/strict';
import { BSON, type Timestamp } from 'mongodb';
import { compareTruth } from './compare.ts';
import type { ReplayedCopy } from './replayed-copy.ts';
import type { ReplicaSet } from './replica-set.ts';
import { type CollectionTruth, readTruth, type Truth } from './truth.ts';

export interface TruthAt {
  truth: Truth;
  /** Collections that the source itself could still be asked about. */
  confirmed: number;
  /** What cannot be told for sure; left out of comparisons, and counted by whoever compares. */
  doubtful: Set<string>;
}

/**
 * All of the source at a cluster time, from two witnesses: recovery of a copy, which knows the catalog too, and the
 * source's own snapshot reads, which know what a server of its version can still see. Where both speak they must agree,
 * with one exception. A prepared transaction is visible from its commitTimestamp on, though its commit is logged later;
 * recovery up to a time between the two does not have it. There the source's word counts, and where it has none the
 * collection is doubtful.
 */
export async function truthAt(source: ReplicaSet, copy: ReplayedCopy, at: Timestamp): Promise<TruthAt> {
  const atSource = await readTruth(source.client, at);
  const truth = await copy.truthAt(at);
  const late = (await countLateCommits(source, at)) > 0;
  const doubtful = new Set<string>();
  let confirmed = 0;
  for (const [namespace, collection] of truth.collections) {
    if (collection.documents === null || collection.order !== null) continue;
    const other = atSource.collections.get(namespace);
    if (other === undefined || other.uuid !== collection.uuid || atSource.unreadable.has(namespace)) {
      if (late) doubtful.add(namespace);
      continue;
    }
    confirmed++;
    const differences = compareTruth(onlyDocuments(namespace, collection), onlyDocuments(namespace, other));
    const contrary = differences.filter((one) => !one.includes(': document '));
    if (!late) assert.deepEqual(contrary, [], `the two truths at ${BSON.EJSON.stringify(at)} differ`);
    assert(
      late || differences.length <= ODD_UPDATES_MAX,
      `the two truths disagree too often: ${differences.join('\n')}`,
    );
    collection.documents = other.documents;
  }
  return { truth, confirmed, doubtful };
}

/**
 * Of one collection. A server logs some updates of odd documents (names twice, say) so that recovery makes something
 * else of them; what the source itself shows is what counts.
 */
const ODD_UPDATES_MAX = 3;

/** Prepared transactions that became visible at or before the time and whose commit was logged after it. */
async function countLateCommits(source: ReplicaSet, at: Timestamp): Promise<number> {
  const oplog = source.client.db('local').collection('oplog.rs');
  return await oplog.countDocuments({ ts: { $gt: at }, 'o.commitTransaction': 1, 'o.commitTimestamp': { $lte: at } });
}

function onlyDocuments(namespace: string, collection: CollectionTruth): Truth {
  const bare = { ...collection, options: Buffer.alloc(0), indexes: new Map<string, Buffer>() };
  return { collections: new Map([[namespace, bare]]), unreadable: new Map() };
}

/** Half-made results of `$out` and the like, which the server itself drops when it starts. */
export function isTemporary(collection: CollectionTruth | undefined): boolean {
  return collection !== undefined && BSON.deserialize(collection.options).temp === true;
}
