import { forEachConcurrently } from '../../src/lib/bounded.ts';
import { cutBatches, insertRaw } from '../../src/mongo/bulk-writer.ts';
import { connectCluster } from '../../src/mongo/connection/connect.ts';
import { type SampleCollection, sampleIndexes } from '../sample-documents.ts';
import { readSampleFile } from './sample-files.ts';
import type { Amount } from './scan-floor.ts';

/** As a restore inserts: two collections at once, four inserts under way. */
const COLLECTIONS_AT_ONCE = 2;
const INSERTS_AT_ONCE = 2;

/**
 * The load floor: the same raw documents, read from files and inserted by the writer that restores use, with no other
 * work.
 */
export async function loadEverything(options: {
  uri: string;
  db: string;
  files: readonly { collection: string; path: string }[];
  indexes: boolean;
}): Promise<Amount> {
  const client = await connectCluster(options.uri);
  const { signal } = new AbortController();
  const total = { documents: 0, bytes: 0 };
  try {
    const db = client.db(options.db);
    await forEachConcurrently(options.files, COLLECTIONS_AT_ONCE, async ({ collection, path }) => {
      await db.createCollection(collection);
      const batches = async function* () {
        for await (const documents of readSampleFile(path)) yield* cutBatches(documents);
      };
      await forEachConcurrently(batches(), INSERTS_AT_ONCE, async (batch) => {
        await insertRaw(db, collection, batch, { ordered: false, signal });
        total.documents += batch.count;
        total.bytes += batch.documents.length;
      });
    });
    if (!options.indexes) return total;
    await forEachConcurrently(options.files, COLLECTIONS_AT_ONCE, async ({ collection }) => {
      const specs = sampleIndexes[collection as SampleCollection];
      await db
        .collection(collection)
        .createIndexes(specs.map((spec) => ({ ...spec, key: spec.key as Record<string, 1 | -1> })));
    });
    return total;
  } finally {
    await client.close();
  }
}
