import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'bson';
import { findId, forEachDocument, idBytes } from '../../bson/raw-bson.ts';
import { must } from '../../lib/assert.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import { createRepository } from '../../repository/repository.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import { MemoryStore } from '../../storage/memory.ts';
import { CappedTake } from './capped-take.ts';

const clusterId = 'a'.repeat(24);
const raw = (id: number) => Buffer.from(serialize({ _id: id }));

/** The ids that come out of a take of the scanned ids, then of inserts and deletions as the oplog tells them. */
async function taken(scanned: number[][], inserts: number[], deletions: number[]): Promise<number[] | string> {
  const context = { store: new MemoryStore(systemClock), clock: systemClock, random: systemRandom };
  const repository = await createRepository(context, {});
  const writer = new SnapshotWriter(repository, { clusterId, snapshotId: 'b'.repeat(24), parent: null });
  const capped = new CappedTake({ db: 'd', uuid: 'c' }, { writer, reuse: [], seed: 7, bytesMax: 1_000 });
  for (const batch of scanned) await capped.scanned(Buffer.concat(batch.map(raw)), batch.length);
  capped.scanEnded();
  for (const id of inserts) capped.inserted(raw(id), idOf(raw(id)));
  for (const id of deletions) capped.deleted(idOf(raw(id)));
  const layers = await capped.close();
  await writer.flush();
  await writer.abandon();
  if (layers === null) return must(capped.voidReason, 'a void take says why');
  const entry = {
    db: 'd',
    name: 'c',
    type: 'collection',
    uuid: null,
    info: raw(0),
    indexes: [],
    documents: 0,
    bytes: 0,
    layers,
  } as const;
  const ids: number[] = [];
  for await (const documents of readCollection(repository, clusterId, { ...entry, indexes: [] })) {
    forEachDocument(documents, (offset, length) => {
      ids.push(deserialize(documents.subarray(offset, offset + length))._id);
    });
  }
  return ids;
}

function idOf(document: Buffer): Buffer {
  return idBytes(document, must(findId(document, 0), 'an id'));
}

const cases: [string, Parameters<typeof taken>, number[] | string][] = [
  ['inserts after the scan are appended', [[[1, 2]], [3, 4], []], [1, 2, 3, 4]],
  ['inserts that the scan met are not', [[[1, 2, 3]], [3, 4], []], [1, 2, 3, 4]],
  [
    'inserts of concurrent writers stand in the order of the collection, each once',
    [
      [
        [1, 2],
        [4, 3],
      ],
      [3, 4, 5],
      [],
    ],
    [1, 2, 4, 3, 5],
  ],
  ['one that the scan passed before it was committed is appended', [[[1, 2, 4]], [3, 4], []], [1, 2, 4, 3]],
  ['evictions leave the front', [[[1, 2, 3]], [4], [1, 2]], [3, 4]],
  ['an insert that was evicted again is gone', [[[1]], [2, 3], [1, 2]], [3]],
  ['an id that comes back voids the take', [[[1]], [2, 2], []], 'an id came back between its scan and T'],
  [
    'too much to hold voids it',
    [[[1]], Array.from({ length: 200 }, (_, i) => i + 10), []],
    'too much was inserted between its scan and T',
  ],
];

for (const [name, given, expected] of cases) {
  test(`a capped collection carried forward by the oplog: ${name}`, async () => {
    assert.deepEqual(await taken(...given), expected);
  });
}
