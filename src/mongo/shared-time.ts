import type { ClusterTime, Document, MongoClient } from 'mongodb';
import { type Timestamp64, timestampOf } from '../bson/timestamp.ts';
import { Fault } from '../lib/errors.ts';
import { connectCluster } from './connection/connect.ts';
import { asFault } from './errors.ts';
import { SourceMember } from './source-member.ts';

/**
 * A time as the replica sets of a sharded cluster tell it each other: with the signature that makes them believe it.
 */
export interface SharedTime {
  ts: Timestamp64;
  /** `$clusterTime` of an answer, at or after `ts`. */
  gossip: ClusterTime | null;
}

/** For a majority to have it. A shard that has none does not answer at all. */
const NOTE_MS_MAX = 15_000;
const MAJORITY = { w: 'majority', wtimeout: NOTE_MS_MAX };

/** A replica set whose clock can be made to follow the rest of its cluster. */
export class FollowingClock {
  readonly #client: MongoClient;
  readonly #name: string;

  private constructor(client: MongoClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** `name`: the shard, for messages. */
  static async connect(uri: string, name: string, signal: AbortSignal): Promise<FollowingClock> {
    return new FollowingClock(await connectCluster(uri, { signal }), name);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Its primary, for reads. */
  get member(): SourceMember {
    return new SourceMember(this.#client, this.#name);
  }

  /** Puts a note into its oplog; a majority has it when this resolves. Gives the time of the note's own entry. */
  async append(data: Document): Promise<SharedTime> {
    const session = this.#client.startSession({ causalConsistency: false });
    try {
      const note = { appendOplogNote: 1, data, writeConcern: MAJORITY };
      const { operationTime } = await this.#client.db('admin').command(note, { session });
      return { ts: timestampOf(operationTime), gossip: session.clusterTime ?? null };
    } catch (error) {
      throw asFault(error, 'append an oplog note', this.#name);
    } finally {
      await session.endSession();
    }
  }

  /**
   * Makes the replica set write an entry after the time, unless it has one: its clock is told the time, and a note is
   * put into its oplog.
   */
  async moveOn(time: SharedTime): Promise<void> {
    const admin = this.#client.db('admin');
    const session = this.#client.startSession({ causalConsistency: false });
    try {
      if (time.gossip !== null) session.advanceClusterTime(time.gossip);
      const hello = await admin.command({ hello: 1 });
      const written = hello.lastWrite?.opTime?.ts;
      if (written !== undefined && timestampOf(written) > time.ts) return;
      const note = { appendOplogNote: 1, data: { msg: 'tidemark: time goes on' }, writeConcern: MAJORITY };
      const { operationTime } = await admin.command(note, { session });
      if (operationTime !== undefined && timestampOf(operationTime) > time.ts) return;
      throw new Fault({
        op: 'append an oplog note',
        subject: this.#name,
        message: `the clock of ${this.#name} does not follow the rest of the cluster`,
        retryable: true,
      });
    } catch (error) {
      throw asFault(error, 'append an oplog note', this.#name);
    } finally {
      await session.endSession();
    }
  }
}
