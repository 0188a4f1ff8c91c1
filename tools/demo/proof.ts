import { type MongoClient, Timestamp } from 'mongodb';
import { compareTruth } from '../../test/support/compare.ts';
import { readTruth } from '../../test/support/truth.ts';

export interface Proof {
  /** Sentences; none when the two are equal. */
  differences: string[];
  collections: number;
  documents: number;
  indexes: number;
}

/**
 * The source as the server itself shows it at the snapshot's cluster time, against the target as it is now: every
 * document by its bytes, every option, every index.
 */
export async function compareWithSnapshot(
  source: MongoClient,
  target: MongoClient,
  clusterTime: { t: number; i: number },
): Promise<Proof> {
  const expected = await readTruth(source, new Timestamp(clusterTime));
  const actual = await readTruth(target, null);
  const differences = compareTruth(expected, actual);
  const collections = [...actual.collections.values()];
  const documents = collections.reduce((sum, collection) => sum + (collection.documents?.size ?? 0), 0);
  if (documents === 0) differences.push('there is nothing in the target');
  return {
    differences,
    collections: collections.length,
    documents,
    indexes: collections.reduce((sum, collection) => sum + collection.indexes.size, 0),
  };
}
