import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { constants, zstdCompressSync } from 'node:zlib';
import { scanCollection } from '../../src/mongo/collection-reader.ts';
import { connectCluster } from '../../src/mongo/connection/connect.ts';
import { SourceMember } from '../../src/mongo/source-member.ts';
import type { Amount } from './scan-floor.ts';

/** A blob's target size. */
const BLOB_BYTES = 8 << 20;

export interface Bound extends Amount {
  /** Processor time of all of it, of the server too, over the cores: no first snapshot here can be quicker. */
  boundMs: number;
  storedBytes: number;
}

/**
 * What the processors have to do for a first snapshot of a database at the least: the scan, on both sides, and zstd and
 * SHA-256 of the same bytes in pieces of a blob. All on one thread, so that each part's time can be told.
 */
export async function boundOfSnapshot(uri: string, db: string): Promise<Bound> {
  const client = await connectCluster(uri);
  try {
    const member = new SourceMember(client, 'the source');
    const listed = await client.db(db).listCollections({ type: 'collection' }).toArray();
    const total = { documents: 0, bytes: 0, storedBytes: 0 };
    const serverUs = async (): Promise<number> => {
      const { extra_info: used } = await client.db('admin').command({ serverStatus: 1 });
      return Number(used.user_time_us) + Number(used.system_time_us);
    };
    const before = { server: await serverUs(), own: ownUs() };
    for (const collection of listed) {
      const uuid = (collection as { info?: { uuid?: { toHexString(dashes: boolean): string } } }).info?.uuid;
      if (uuid === undefined) throw new Error(`${collection.name} has no UUID`);
      const target = { db, uuid: uuid.toHexString(false) };
      let blob: Buffer[] = [];
      let blobBytes = 0;
      for await (const batch of scanCollection(member, target, { level: 'majority' }, new AbortController().signal)) {
        total.documents += batch.count;
        total.bytes += batch.documents.length;
        blob.push(batch.documents);
        blobBytes += batch.documents.length;
        if (blobBytes < BLOB_BYTES) continue;
        total.storedBytes += storedOf(blob);
        [blob, blobBytes] = [[], 0];
      }
      if (blobBytes > 0) total.storedBytes += storedOf(blob);
    }
    const usedUs = (await serverUs()) - before.server + ownUs() - before.own;
    return { ...total, boundMs: Math.round(usedUs / 1000 / availableParallelism()) };
  } finally {
    await client.close();
  }
}

/** Hashed and compressed as a repository does it by default; the result is dropped. */
function storedOf(pieces: readonly Buffer[]): number {
  const payload = Buffer.concat(pieces);
  createHash('sha256').update(payload).digest();
  return zstdCompressSync(payload, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }).length;
}

function ownUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
