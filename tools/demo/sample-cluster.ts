import type { Document, MongoClient } from 'mongodb';
import { ReplicaSet } from '../../test/support/replica-set.ts';
import { SampleDocuments, sampleCollections, sampleIndexes, shareOfBytes } from '../sample-documents.ts';

export const SAMPLE_DB = 'shop';
const BATCH = 500;
const BYTES_OF_A_DOCUMENT = { orders: 720, customers: 250, articles: 5240, attachments: 10_200 } as const;

/** A three-member replica set with a made-up shop in it. */
export async function startSampleCluster(options: {
  name: string;
  members: 1 | 3;
  port?: number;
}): Promise<ReplicaSet> {
  return await ReplicaSet.start({ name: options.name, members: options.members, cacheGb: 0.5 });
}

/** About `bytes` of documents and the shop's indexes. `report` hears of every batch. */
export async function loadSampleData(
  client: MongoClient,
  bytes: number,
  report: (done: { documents: number; total: number; collection: string }) => void,
): Promise<number> {
  const counts = sampleCollections.map((name) => Math.ceil((bytes * shareOfBytes[name]) / BYTES_OF_A_DOCUMENT[name]));
  const total = counts.reduce((sum, count) => sum + count, 0);
  await createSampleIndexes(client);
  let documents = 0;
  for (const [index, collection] of sampleCollections.entries()) {
    const samples = new SampleDocuments(index + 1);
    const target = client.db(SAMPLE_DB).collection<Document>(collection);
    for (let left = counts[index] ?? 0; left > 0; left -= BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, left) }, () => samples.next(collection));
      await target.insertMany(batch, { ordered: false });
      documents += batch.length;
      report({ documents, total, collection });
    }
  }
  return documents;
}

export async function createSampleIndexes(client: MongoClient): Promise<void> {
  for (const collection of sampleCollections) {
    const specs = sampleIndexes[collection].map((spec) => ({ ...spec, key: spec.key as Record<string, 1 | -1> }));
    await client.db(SAMPLE_DB).collection(collection).createIndexes(specs);
  }
}

/** Changes one document in `every`, spread over all of the shop. Returns how many. */
export async function changeSampleData(client: MongoClient, every: number): Promise<number> {
  let changed = 0;
  for (const collection of sampleCollections) {
    const target = client.db(SAMPLE_DB).collection<Document>(collection);
    const ids: unknown[] = [];
    let place = 0;
    for await (const { _id } of target.find({}, { projection: { _id: 1 } })) if (place++ % every === 0) ids.push(_id);
    for (let at = 0; at < ids.length; at += BATCH) {
      const filter = { _id: { $in: ids.slice(at, at + BATCH) } } as Document;
      changed += (await target.updateMany(filter, { $inc: { revision: 1 }, $set: { touched: true } })).modifiedCount;
    }
  }
  return changed;
}
