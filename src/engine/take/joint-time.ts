import type { Optime, Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { newestEntryUpTo } from '../../mongo/oplog-reader.ts';
import type { SharedTime } from '../../mongo/shared-time.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { JointRound } from '../sharding/agreement.ts';
import { collectTouched } from './collect-touched.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

/** How one replica set of a sharded cluster goes about finding the one time of all. */
export interface JointTime {
  round: JointRound;
  /** Makes the replica set write something after that time, where it has not. */
  moveOn(time: SharedTime): Promise<void>;
  /** What kept the last time from being taken, for the message of a failure. */
  inTheWay: string | null;
}

/** A time, and this replica set's newest entry at or before it. For a replica set by itself the two are one. */
export interface ChosenTime {
  ts: Timestamp64;
  position: Optime;
}

/**
 * The newest time that any of the replica sets knows of, and this one's entries up to it noted. An idle replica set is
 * moved on, so that nothing at or before that time can still come.
 */
export async function agreeOnTime(
  take: ReplicaSetTake,
  member: SourceMember,
  jointTime: JointTime,
  atLeast: (ts: Timestamp64) => Promise<unknown>,
): Promise<ChosenTime> {
  const own = await member.sharedTime(take.signal);
  const wanted = own.ts > take.readUpTo ? own : { ...own, ts: take.readUpTo };
  const all = await jointTime.round.meet(wanted);
  const time = all.reduce((newest, one) => (one.ts > newest.ts ? one : newest));
  assert(time.ts >= wanted.ts, 'the time of all is not before that of one');
  await jointTime.moveOn(time);
  await atLeast(time.ts);
  const position = await newestEntryUpTo(member, time.ts, take.signal);
  assert(position.ts <= time.ts, 'the newest entry up to a time is not after it');
  await collectTouched(take, member, position.ts);
  return { ts: time.ts, position };
}
