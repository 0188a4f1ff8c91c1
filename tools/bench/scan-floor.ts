import { forEachConcurrently } from '../../src/lib/bounded.ts';
import { scanCollection } from '../../src/mongo/collection-reader.ts';
import { connectCluster } from '../../src/mongo/connection/connect.ts';
import { SourceMember } from '../../src/mongo/source-member.ts';

/** Several collections at once, as the engine scans. */
const CONCURRENCY = 2;

export interface Amount {
  documents: number;
  bytes: number;
}

/** The scan floor: every document of a database read raw, by the reader that snapshots use, and dropped. */
export async function scanEverything(uri: string, db: string): Promise<Amount> {
  const client = await connectCluster(uri);
  try {
    const member = new SourceMember(client, 'the source');
    const listed = await client.db(db).listCollections({ type: 'collection' }).toArray();
    const total = { documents: 0, bytes: 0 };
    await forEachConcurrently(listed, CONCURRENCY, async (collection) => {
      const uuid = (collection as { info?: { uuid?: { toHexString(dashes: boolean): string } } }).info?.uuid;
      if (uuid === undefined) throw new Error(`${collection.name} has no UUID`);
      const target = { db, uuid: uuid.toHexString(false) };
      for await (const batch of scanCollection(member, target, { level: 'majority' }, new AbortController().signal)) {
        total.documents += batch.count;
        total.bytes += batch.documents.length;
      }
    });
    return total;
  } finally {
    await client.close();
  }
}
