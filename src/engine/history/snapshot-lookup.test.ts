import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import { collectionOf, snapshotIdOf, testClusterId, testRepository } from '../../../test/support/test-repository.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import { matcherOf } from './same-id.ts';
import { SnapshotLookup } from './snapshot-lookup.ts';

test('one document is found among a thousand by reading a blob or two', async () => {
  const repository = await testRepository({ chunker: { minBytes: 1600, targetBytes: 3200, maxBytes: 6400 } });
  const writer = new SnapshotWriter(repository, {
    clusterId: testClusterId,
    snapshotId: snapshotIdOf(1),
    parent: null,
  });
  const base = writer.openLayer({ kind: 'base' });
  for (let n = 0; n < 1000; n++) await base.add(documentWith(int32Id(n), Buffer.alloc(30, n)));
  const delta = writer.openLayer({ kind: 'delta' });
  await delta.addDeleted(int32Id(5));
  await delta.add(documentWith(int32Id(6), Buffer.alloc(30, 99)));
  const layers = [await delta.close(), await base.close()];
  await writer.flush();
  const find = async (n: number) => {
    let read = 0;
    const id = int32Id(n);
    const lookup = new SnapshotLookup({
      ...{ repository, clusterId: testClusterId, id, matches: matcherOf(id), signal: new AbortController().signal },
      onRead: (bytes) => {
        read += bytes;
      },
    });
    return { document: await lookup.find({ ...collectionOf('x', layers), layers }), read };
  };
  const held = layers.reduce((sum, { bytes }) => sum + bytes, 0);
  const { document, read } = await find(700);
  assert.ok(document?.equals(documentWith(int32Id(700), Buffer.alloc(30, 700))));
  assert.ok(read > 0 && read < held / 5, `${read} of ${held} bytes`);
  assert.ok((await find(6)).document?.equals(documentWith(int32Id(6), Buffer.alloc(30, 99))));
  assert.equal((await find(5)).document, null, 'a newer layer says that it was deleted');
  const absent = await find(5000);
  assert.equal(absent.document, null);
  assert.ok(absent.read < held / 5);
});
