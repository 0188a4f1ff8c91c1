import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient, type Timestamp } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import { createDirectory, Mongod } from './mongod.ts';
import type { ReplicaSet } from './replica-set.ts';
import { readTruth, type Truth } from './truth.ts';
import { WireConnection } from './wire.ts';

const INSERT_BYTES_MAX = 32 << 20;
const INSERT_DOCUMENTS_MAX = 50_000;

/**
 * The truth at a cluster time whose catalog is gone: MongoDB's own recovery brings a copy of the data files to exactly
 * that time. A server before 7.0 cannot read at a time before a collection's last catalog change, and no server tells
 * what the catalog was; recovery does both, and shares no code or idea with what is tested.
 *
 * Entries above 16 MiB cannot be inserted into a copy's oplog: the source must not write any (one document of nearly 16
 * MiB makes one).
 */
export class ReplayedCopy {
  readonly #source: ReplicaSet;
  /** The copied files, never started. */
  readonly #base: string;

  private constructor(source: ReplicaSet, base: string) {
    this.#source = source;
    this.#base = base;
  }

  /** Copies the files of a one-node set while writes to it wait. The oplog must not roll over from here on. */
  static async take(source: ReplicaSet): Promise<ReplayedCopy> {
    const member = must(source.members[0], 'the source has a member');
    // Beside the source's own files: they are removed together, also where the tests are killed.
    const base = await mkdtemp(join(member.directory, 'copy-'));
    const admin = source.client.db('admin');
    await admin.command({ fsync: 1, lock: true });
    try {
      await cp(member.dbPath, join(base, 'db'), { recursive: true });
    } finally {
      await admin.command({ fsyncUnlock: 1 });
    }
    await rm(join(base, 'db', 'mongod.lock'), { force: true });
    return new ReplayedCopy(source, base);
  }

  async remove(): Promise<void> {
    await rm(this.#base, { recursive: true, force: true });
  }

  /**
   * Everything as it was at the time; capped collections too, but for documents that the copy may have aged out sooner
   * or later than the source.
   */
  async truthAt(clusterTime: Timestamp): Promise<Truth> {
    const directory = await createDirectory();
    await cp(join(this.#base, 'db'), join(directory, 'db'), { recursive: true });
    const args = ['--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false'];
    const copy = await Mongod.start({ directory, args });
    try {
      await this.#extendOplog(copy, clusterTime);
      // Not in order: an orderly end of a standalone would move its recovery time on past what it has not applied.
      await copy.kill();
      await copy.restart(['--setParameter', 'recoverFromOplogAsStandalone=true']);
      return await readAll(copy);
    } finally {
      await copy.remove();
    }
  }

  async #extendOplog(copy: Mongod, clusterTime: Timestamp): Promise<void> {
    const wire = await WireConnection.open(copy.port);
    try {
      const newest = await wire.command({
        find: 'oplog.rs',
        sort: { $natural: -1 },
        limit: 1,
        projection: { ts: 1 },
        $db: 'local',
      });
      const from = newest.cursor.firstBatch[0].ts as Timestamp;
      await this.#expectNoRollOver(from);
      const entries = this.#source.client
        .db('local')
        .collection('oplog.rs')
        .find({ ts: { $gt: from, $lte: clusterTime } }, { raw: true, batchSize: 20_000 });
      let batch: Buffer[] = [];
      let bytes = 0;
      const insert = async () => {
        const command = { insert: 'oplog.rs', $db: 'local' };
        if (batch.length > 0) await wire.command(command, [{ field: 'documents', documents: batch }]);
        [batch, bytes] = [[], 0];
      };
      for await (const entry of entries as unknown as AsyncIterable<Buffer>) {
        if (bytes + entry.length > INSERT_BYTES_MAX || batch.length === INSERT_DOCUMENTS_MAX) await insert();
        batch.push(entry);
        bytes += entry.length;
      }
      await insert();
      // The source was primary when its files were copied, so it had noted where to cut its oplog after a crash.
      await wire.command({ delete: 'replset.oplogTruncateAfterPoint', deletes: [{ q: {}, limit: 0 }], $db: 'local' });
      await wire.command({ fsync: 1, $db: 'admin' });
      // The oldest entries go last: where the copied one is still there, so is everything since.
      await this.#expectNoRollOver(from);
    } finally {
      wire.close();
    }
  }

  /** Recovery ends in a fatal assertion, or quietly in another state, where entries are missing. */
  async #expectNoRollOver(from: Timestamp): Promise<void> {
    const found = await this.#source.client.db('local').collection('oplog.rs').findOne({ ts: from });
    assert(found !== null, 'the oplog of the source rolled over since its files were copied: give it a larger one');
  }
}

async function readAll(copy: Mongod): Promise<Truth> {
  const client = new MongoClient(`mongodb://${copy.address}/?directConnection=true`);
  try {
    return await readTruth(client, null);
  } finally {
    await client.close();
  }
}
