import { findElement, forEachDocument } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { assert, must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { readOplogEntry, transactionOf } from '../../oplog/entry.ts';
import { type Decisions, decisionOf } from '../../oplog/transactions.ts';
import type { ReplicaSetManifest } from '../../repository/format/manifest-replica-sets.ts';
import type { Repository } from '../../repository/repository.ts';
import { readCoverage, type SliceReadOptions } from '../../repository/slices.ts';
import type { ReplayPlan, UndecidedTransaction } from '../replay/plan-replay.ts';
import type { OplogSource, ReplayEnd } from '../replay/replay-interval.ts';
import { sliceOplog } from '../replay/slice-oplog.ts';
import { UNDER_WAY } from '../sharding/sharding-ledgers.ts';

/** Beyond the end of a snapshot by this clock and that of the cluster. */
const CLOCK_SKEW_SECONDS = 60;

/** A point that all replica sets of a sharded cluster are brought to, by what was captured of each. */
export interface PointOfCluster {
  end: ReplayEnd;
  slices: Repository;
  /** Where a slice is read that the repository has lost. */
  elsewhere?: Pick<SliceReadOptions, 'copies' | 'onTrouble'>;
}

/** What one replica set of a sharded cluster has to replay. */
export interface ReplicaSetInTime {
  end: ReplayEnd;
  source: OplogSource;
  searchTo: Timestamp64;
}

/**
 * The captured oplog of a replica set, from its position in the snapshot on. It is given as far as it was captured: a
 * transaction that was prepared before the point may have been visible there although its commit was logged long after
 * it. Transactions that were prepared before T were decided by the time the snapshot was finished, so the search goes
 * on until then.
 */
export async function replicaSetInTime(
  { end, slices, elsewhere = {} }: PointOfCluster,
  { replicaSet, manifest }: ReplicaSetManifest,
  signal: AbortSignal,
): Promise<ReplicaSetInTime> {
  const { header } = manifest;
  const { position, replicaSetName } = must(replicaSet, 'the snapshot is of a sharded cluster');
  const set = { clusterId: header.clusterId, replicaSetName };
  const { runs } = await readCoverage(slices, set, { ...elsewhere, signal });
  const from = { ts: timestampOf(position), term: BigInt(position.term) };
  const captured = runs.find((run) => run.first <= from.ts && end.ts <= run.last)?.last;
  const range = { from, end: end.ts, searchTo: captured ?? end.ts };
  const source = await sliceOplog(slices, set, range, signal, elsewhere);
  // Whoever asks for a point right after the snapshot is in the second in which it ended; the rules wait for that
  // second's end before they take it as a base.
  const finishedSeconds = Math.floor(Date.parse(header.finishedAt) / 1000);
  if (captured !== undefined) requireDecided(replicaSetName, captured, timestampOf({ t: finishedSeconds, i: 0 }));
  const finished = timestampOf({ t: finishedSeconds + CLOCK_SKEW_SECONDS, i: 0 });
  return { end, source, searchTo: finished > end.ts ? finished : end.ts };
}

/**
 * Of a transaction that was prepared before T nothing is known but by its commit, and that may lie as late as the end
 * of the snapshot.
 */
export function requireDecided(replicaSetName: string, captured: Timestamp64, finished: Timestamp64): void {
  if (captured >= finished) return;
  throw new Fault({
    op: 'restore',
    subject: replicaSetName,
    message: `the oplog of ${replicaSetName} is captured up to ${formatTimestamp(captured)}, and the snapshot that the point follows was finished at ${formatTimestamp(finished)}: a transaction that was under way in between may have been visible at the point`,
    retryable: true,
    hint: 'Restore again when more has been captured, or to a point from an earlier snapshot',
  });
}

/** A replica set whose interval was planned. */
export interface PlannedReplicaSet {
  name: string;
  plan: ReplayPlan;
  source: OplogSource;
}

/**
 * What became of the transactions of which some replica set's oplog does not tell it. Whoever is in one commits it at
 * one time, so any replica set's word is good for all. Throws a Fault for those of which nobody tells anything: they
 * may have been visible at the point.
 */
export async function decideTransactions(
  replicaSets: readonly PlannedReplicaSet[],
  signal: AbortSignal,
): Promise<Decisions> {
  const open = new Map<string, UndecidedTransaction & { name: string }>();
  for (const { name, plan } of replicaSets)
    for (const one of plan.undecided) open.set(one.transaction, { ...one, name });
  const decisions = new Map<string, Timestamp64 | null>();
  for (const { source } of replicaSets) {
    if (decisions.size === open.size) break;
    for await (const buffer of source.entries()) {
      signal.throwIfAborted();
      forEachDocument(buffer, (offset) => {
        const decision = decisionIn(buffer, offset);
        if (decision !== null && open.has(decision.transaction))
          decisions.set(decision.transaction, decision.visibleAt);
      });
    }
  }
  for (const [transaction, { preparedAt, name }] of open) {
    if (decisions.has(transaction)) continue;
    throw new Fault({
      op: 'restore',
      subject: name,
      message: `a transaction over several shards that was prepared at ${formatTimestamp(preparedAt)} on ${name} is not decided as far as the oplogs were captured: whether it was visible at the point is not known`,
      hint: `Restore to a point before ${formatTimestamp(preparedAt)}, or again when more has been captured`,
    });
  }
  return decisions;
}

function decisionIn(buffer: Buffer, offset: number): { transaction: string; visibleAt: Timestamp64 | null } | null {
  const decision = decisionOf(buffer, readOplogEntry(buffer, offset));
  return decision === null ? null : { transaction: transactionOf(buffer, offset), ...decision };
}

/** What a replica set of the cluster had in `config` at the point: documents of a collection, by its name. */
export type Held = (name: string) => Promise<readonly Buffer[]>;

/**
 * Refuses a point at which something was going on that no restore can bring to its end: a change of the sharded
 * catalog, or a resharding. Migrations of chunks are settled instead (`settleRangeDeletion`).
 */
export async function refuseUnderWay(name: string, at: Timestamp64, held: Held): Promise<void> {
  for (const [ledger, what] of UNDER_WAY) {
    if (what === 'a migration') continue;
    const [found] = await held(ledger);
    if (found === undefined) continue;
    throw new Fault({
      op: 'restore',
      subject: name,
      message: `at ${formatTimestamp(at)} ${what} was going on on ${name}, so that its shards did not agree on the catalog; the target was not touched`,
      hint: 'Restore to a point some seconds earlier or later',
    });
  }
}

/** Refuses a point before which shards were added or removed: what is restored are those of the snapshot. */
export function refuseOtherShards(expected: readonly string[], at: Timestamp64, shards: readonly Buffer[]): void {
  const found = shards.map(idOf).toSorted();
  if (found.join('\n') === expected.toSorted().join('\n')) return;
  throw new Fault({
    op: 'restore',
    subject: 'the shards',
    message: `at ${formatTimestamp(at)} the cluster had the shards ${found.join(', ')}; the snapshot from which it would be reached has ${expected.join(', ')}`,
    hint: 'Restore to a point from the first snapshot after shards were added or removed',
  });
}

function idOf(document: Buffer): string {
  const id = findElement(document, 0, '_id');
  assert(id !== null && id.type === 0x02, 'a shard has a name');
  return document.toString('utf8', id.start + 4, id.end - 1);
}
