import { isTakenDatabase } from '../../bson/namespace.ts';
import { type Optime, type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { type Backoff, backoffOf } from '../../lib/backoff.ts';
import { Fault } from '../../lib/errors.ts';
import type { ListedCollection } from '../../mongo/catalog/catalog-listing.ts';
import { readOplog } from '../../mongo/oplog-reader.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { PositionedEntry } from '../../oplog/entry.ts';
import { visitEntry } from '../../oplog/touches.ts';
import { decisionOf } from '../../oplog/transactions.ts';
import { shardingInMotion } from '../sharding/sharding-in-motion.ts';
import { CatalogReading } from './catalog-reading.ts';
import { collectTouched, noteEntries } from './collect-touched.ts';
import { agreeOnTime, type ChosenTime, type JointTime } from './joint-time.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

/**
 * A time T and the catalog as it was at T. The take's position is the newest entry up to T: every id touched up to T
 * is pending.
 */
export interface SettledCatalog extends ChosenTime {
  collections: ListedCollection[];
  /**
   * Databases whose catalog changed while this was settled: their collections are the next to become unreadable at T.
   */
  restless: Set<string>;
}

const POLL_MS = 10;

/**
 * Chooses T and reads the catalog at T, at that very time where the server can (6.0 and newer) and the user may.
 *
 * Else it is listed. A listing cannot be made at a time, so it is made after T and the oplog is asked whether anything
 * changed in between; what changed is listed again with T moved up to the end of that look. Under constant change only
 * the restless databases are listed again, which takes milliseconds, so that a quiet moment is found. Where the catalog
 * is read at T such a moment is only worth a few passes: a collection that was dropped or renamed since can no longer
 * be read at T, but whether it has to be is seen first.
 *
 * Of a sharded cluster it does so in lockstep with the others: one T for all, and it counts when it was
 * quiet for all.
 */
export async function settleCatalog(
  take: ReplicaSetTake,
  member: SourceMember,
  jointTime: JointTime | null = null,
): Promise<SettledCatalog> {
  const { signal, limits } = take;
  const catalog = new CatalogReading(take, member);
  const restless = new Set<string>();
  const choose = async () =>
    jointTime === null ? await chooseAlone(take, member) : await chooseJointly(take, member, jointTime);
  let at = await choose();
  for (let pass = 0; pass < limits.catalogPassesMax; pass++) {
    throwIfAborted(signal);
    // Where another member is asked for the catalog, it may be behind T, and ahead of the member whose oplog is read.
    if (member.catalog !== member) await majorityAtLeast(take, member.catalog, at.ts);
    assert(at.position.ts <= at.ts, 'the newest entry up to T is not after it');
    await catalog.read(at.ts);
    const until = await majorityAtLeast(take, member, await lastApplied(member.catalog, signal));
    const seen = await lookAhead(member, at.position, until.ts, signal);
    const quiet = seen.term === at.position.term && catalog.holdsDespite(seen.changed, pass);
    if (jointTime === null ? quiet : await allQuiet(take, member, jointTime, at, quiet)) {
      noteEntries(take, await lateCommits(take, member, at, seen));
      for (const db of seen.changed) restless.add(db);
      return { ...at, collections: catalog.collections(), restless };
    }
    const before = at;
    at = await choose();
    // T may have moved past the end of that look: what changed in between is not in what was read either.
    const since = await lookAhead(member, until, at.position.ts, signal);
    // After an election a listing may have shown what was rolled back since: all of it is made again.
    const elected = seen.term !== before.position.term || since.term !== until.term;
    for (const db of catalog.spoil(elected ? 'all' : [...seen.changed, ...since.changed])) restless.add(db);
  }
  throw new Fault({
    op: 'list collections',
    subject: member.host,
    message: `collections of ${[...restless].join(', ')} were created, dropped or changed without a pause while the catalog was read ${limits.catalogPassesMax} times`,
    retryable: true,
    hint: 'Take the snapshot while fewer collections are being created and dropped',
  });
}

async function chooseAlone(take: ReplicaSetTake, member: SourceMember): Promise<ChosenTime> {
  const position = await collectUpToNow(take, member);
  return { ts: position.ts, position };
}

async function chooseJointly(take: ReplicaSetTake, member: SourceMember, jointTime: JointTime): Promise<ChosenTime> {
  return await agreeOnTime(take, member, jointTime, async (ts) => await majorityAtLeast(take, member, ts));
}

/**
 * Whether T holds for all: nothing of their catalogs moved, nothing was read fuzzily after it, and no shard was in the
 * middle of a migration or the like.
 */
async function allQuiet(
  take: ReplicaSetTake,
  member: SourceMember,
  jointTime: JointTime,
  at: ChosenTime,
  quiet: boolean,
): Promise<boolean> {
  const moving = await shardingInMotion(member, at.ts, take.signal);
  const own = quiet ? moving : (moving ?? `collections created, dropped or changed on ${member.host}`);
  const all = await jointTime.round.meet(take.readUpTo > at.ts ? `writes on ${member.host}` : own);
  jointTime.inTheWay = all.find((reason) => reason !== null) ?? null;
  if (jointTime.inTheWay !== null) await take.clock.sleep(POLL_MS, take.signal);
  return jointTime.inTheWay === null;
}

/**
 * A time T, with everything touched up to it noted, and no fuzzy read later than it. Noting may itself read documents
 * where memory is short; then T moves up behind that read. Each turn notes only what was written during the one before,
 * so that a turn without such a read comes soon.
 */
async function collectUpToNow(take: ReplicaSetTake, member: SourceMember): Promise<Optime> {
  for (let turn = 0; turn < take.limits.catalogPassesMax; turn++) {
    const from = must(take.position, 'a position before a time').ts;
    const at = await majorityAtLeast(take, member, from > take.readUpTo ? from : take.readUpTo);
    await collectTouched(take, member, at.ts);
    assert(must(take.position, 'a position at a time').ts >= at.ts, 'everything up to T is noted');
    if (take.readUpTo <= at.ts) return at;
  }
  throw new Fault({
    op: 'read oplog',
    subject: member.host,
    message: `${member.host} is written to faster than the documents that change can be read`,
    retryable: true,
    hint: 'Take the snapshot when less is being written',
  });
}

interface LookAhead {
  /** Databases with catalog changes. */
  changed: Set<string>;
  /** Of the last entry seen. */
  term: bigint;
}

async function lookAhead(
  member: SourceMember,
  at: Optime,
  until: Timestamp64,
  signal: AbortSignal,
): Promise<LookAhead> {
  const changed = new Set<string>();
  const { last } = await readOplog(member, at, until, signal, (found) => {
    visitEntry(found.buffer, found.entry, {
      touched() {},
      catalogChanged(_, db) {
        if (isTakenDatabase(db)) changed.add(db);
      },
      rereadNeeded() {},
    });
    return undefined;
  });
  return { changed, term: last.term };
}

/**
 * The commit entries of prepared transactions that became visible at or before T although their commit was logged after
 * it. While a transaction is prepared its outcome is open, so those prepared now are waited for (they are the two-phase
 * commits of sharded clusters, decided in milliseconds).
 */
async function lateCommits(
  take: ReplicaSetTake,
  member: SourceMember,
  at: ChosenTime,
  seen: LookAhead,
): Promise<PositionedEntry[]> {
  const { signal } = take;
  const open = await preparedTransactions(member, signal);
  if (open.size > 0) {
    await waitUntil(take, member, 'prepared transactions to be decided', async () => {
      const still = await preparedTransactions(member, signal);
      return [...open].every((id) => !still.has(id));
    });
  }
  const until = await majorityAtLeast(take, member, await lastApplied(member, signal));
  const commits: PositionedEntry[] = [];
  const { last } = await readOplog(member, at.position, until.ts, signal, (found, earlier) => {
    const visibleAt = decisionOf(found.buffer, found.entry)?.visibleAt ?? null;
    if (visibleAt !== null && visibleAt <= at.ts) commits.push(...earlier, found);
    return undefined;
  });
  if (last.term !== seen.term) {
    throw new Fault({
      op: 'read oplog',
      subject: member.host,
      message: 'an election took place while T was chosen',
      retryable: true,
    });
  }
  return commits;
}

async function preparedTransactions(member: SourceMember, signal: AbortSignal): Promise<Set<string>> {
  const ids = new Set<string>();
  const command = {
    find: 'transactions',
    filter: { state: 'prepared' },
    readConcern: { level: 'local' },
    batchSize: 1_000,
  };
  const reply = await member.command('config', command, signal);
  for (const found of reply.cursor.firstBatch as { _id: { id: { toString(): string } }; txnNum: unknown }[]) {
    ids.add(`${String(found._id.id)}/${String(found.txnNum)}`);
  }
  return ids;
}

async function lastApplied(member: SourceMember, signal: AbortSignal): Promise<Timestamp64> {
  const hello = await member.command('admin', { hello: 1 }, signal);
  return timestampOf(hello.lastWrite.opTime.ts);
}

/** The newest majority-committed optime, once it is at or after `ts`. */
export async function majorityAtLeast(take: ReplicaSetTake, member: SourceMember, ts: Timestamp64): Promise<Optime> {
  let optime = await member.majorityOptime(take.signal);
  if (optime.ts >= ts) return optime;
  await waitUntil(take, member, 'its writes to be majority-committed', async () => {
    optime = await member.majorityOptime(take.signal);
    return optime.ts >= ts;
  });
  assert(optime.ts >= ts, 'what was waited for is there');
  return optime;
}

const looksMs: Backoff = { first: POLL_MS, most: 500 };

async function waitUntil(
  take: ReplicaSetTake,
  member: SourceMember,
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  const deadline = take.clock.monotonicMs() + take.limits.waitMsMax;
  for (let looks = 1; !(await holds()); looks++) {
    if (take.clock.monotonicMs() > deadline) {
      throw new Fault({
        op: 'wait',
        subject: member.host,
        message: `${member.host} waited ${Math.round(take.limits.waitMsMax / 1000)} s in vain for ${what}`,
        retryable: true,
        hint: 'A majority of the data-bearing members has to be up',
      });
    }
    await take.clock.sleep(backoffOf(looksMs, looks), take.signal);
  }
}
