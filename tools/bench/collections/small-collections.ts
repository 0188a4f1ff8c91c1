import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Document } from 'bson';
import { MongoClient } from 'mongodb';
import { forEachConcurrently } from '../../../src/lib/bounded.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import type { Amount } from '../scan-floor.ts';

/** A database for each tenant, as software that is rented out has them. */
const DATABASES = 50;
const DOCUMENTS = 10;
const AT_ONCE = 20;
const SEED = 20_261_122;
/** Of a collection: its own, one of the index on `_id`, one of the other index. */
const FILES_OF_ONE = 3;
const FILES_BESIDE = 1000;

export const DOCUMENTS_OF_ONE = DOCUMENTS;

/**
 * The floor for a restore of many small collections, and what fills the source of one: a bare client makes each
 * collection, its index and its documents, three commands with the driver's own write concern, 20 collections at a
 * time.
 */
export async function createSmallCollections(uri: string, count: number): Promise<Amount> {
  // A connection for each: ours have fewer.
  const client = new MongoClient(uri, { maxPoolSize: AT_ONCE });
  const total = { documents: 0, bytes: 0 };
  try {
    await forEachConcurrently(Array.from({ length: count }).keys(), AT_ONCE, async (number) => {
      const db = client.db(`tenant_${String(number % DATABASES).padStart(2, '0')}`);
      const collection = await db.createCollection(`part_${String(number).padStart(5, '0')}`);
      await collection.createIndex({ customer: 1 });
      const { insertedCount } = await collection.insertMany(documentsOf(number));
      total.documents += insertedCount;
    });
    return total;
  } finally {
    await client.close();
  }
}

function documentsOf(number: number): Document[] {
  const random = new SeededRandom(SEED + number);
  return Array.from({ length: DOCUMENTS }, (_, place) => ({
    _id: place,
    customer: random.below(1000),
    amount: random.below(1_000_000) / 100,
    note: random.bytes(30).toString('hex'),
  }));
}

/** A mongod takes what it is started with: where that is too little for its files it dies in the middle. */
export async function requireFileLimit(collections: number): Promise<void> {
  const needed = collections * FILES_OF_ONE + FILES_BESIDE;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n']);
  const limit = stdout.trim() === 'unlimited' ? Number.POSITIVE_INFINITY : Number(stdout);
  if (limit >= needed) return;
  throw new Error(
    `${collections} collections take a mongod ${needed} open files and the limit is ${limit}: raise it (ulimit -n ${needed}) or say fewer --collections`,
  );
}
