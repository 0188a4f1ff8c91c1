import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { writeChanges } from '../../../test/support/layer-history.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import { documentOf } from '../../bson/raw-bson.ts';
import { Damage } from '../../lib/errors.ts';
import { copySnapshot, openCopyRepository } from '../../repository/copy-snapshot.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import { MemoryStore } from '../../storage/memory.ts';
import { prepareDownload, readDownload } from './download.ts';

const place = { clusterId: testClusterId, snapshotId: snapshotIdOf(1) };
const { signal } = new AbortController();

test('a copy gives the same file as the original, and what an original lost is known before there is a link', async () => {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const from = await testRepository({ clock, store });
  const writer = new SnapshotWriter(from, { ...place, parent: null });
  const documents = Array.from({ length: 60 }, (_, id) => ({ id, content: Buffer.from(`${id}`), idLast: false }));
  const layer = await writeChanges(writer, documents, 'base');
  await writer.commit(
    manifestOf(from, place.snapshotId, [{ ...collectionOf('orders', [layer]), info: documentOf([]) }]),
  );
  const to = await openCopyRepository(from, new MemoryStore(clock));
  await copySnapshot(from, to, place);

  const prepare = (repository: typeof from) =>
    prepareDownload({ repository, ...place, signal, report: () => undefined });
  const [original, copy] = [await prepare(from), await prepare(to)];
  assert.deepEqual(copy, original);
  const { replicaSetName = '', writer: fileWriter = '', bytes } = original[0] ?? {};
  const file = { ...place, replicaSetName, writer: fileWriter, signal };
  const read = async (repository: typeof from) => Buffer.concat(await collect(readDownload({ repository, ...file })));
  assert.equal((await read(from)).length, bytes);
  assert.ok((await read(from)).equals(await read(to)));
  await assert.rejects(collect(readDownload({ repository: from, ...file, writer: 'another' })), /bytes may differ/);

  for await (const { objectKey } of store.list('blobs/')) {
    await store.delete(objectKey);
    break;
  }
  await assert.rejects(prepare(from), Damage);
});
