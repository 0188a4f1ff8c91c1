import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { takeProcessLock } from '../../src/catalog/process-lock.ts';
import { Reserve } from '../../src/catalog/reserve.ts';
import { readSetting, writeSetting } from '../../src/catalog/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { describeError, Fault } from '../../src/lib/errors.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { executePrune, planPrune } from '../../src/repository/upkeep/prune.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { DirectoryStore } from '../../src/storage/directory.ts';
import { documentWith, int32Id } from '../support/raw-documents.ts';
import { mountSmallFileSystem, type SmallFileSystem } from '../support/small-file-system.ts';
import { snapshotIdOf, testClusterId, tinyChunker } from '../support/test-repository.ts';

let disk: SmallFileSystem | string;
before(async () => {
  disk = await mountSmallFileSystem(96);
});
after(async () => {
  if (typeof disk !== 'string') await disk.unmount();
});

/** Steps of one day on one disk. */
test('a full disk', async (t) => {
  if (typeof disk === 'string') return t.skip(disk);
  const { path, fill } = disk;
  let released = 0;
  const reserve = new Reserve(join(path, 'reserve'), { random: systemRandom, onRelease: () => released++ });
  const store = await DirectoryStore.open(join(path, 'repository'));
  const repository = await createRepository(
    { store, clock: systemClock, random: systemRandom },
    { chunker: tinyChunker },
  );
  let catalog: Catalog = await openCatalog({ path: join(path, 'catalog.sqlite'), clock: systemClock, reserve });
  const write = async (value: string): Promise<void> =>
    await catalog.transact(async (writer) => await writeSetting(writer, 'instanceId', value));
  const long = 'x'.repeat(50_000);

  await reserve.keep();
  assert.equal((await stat(join(path, 'reserve'))).size, 8 << 20);
  const writer = new SnapshotWriter(repository, {
    clusterId: testClusterId,
    snapshotId: snapshotIdOf(1),
    parent: null,
  });
  const layer = writer.openLayer({ kind: 'base' });
  for (let id = 0; id < 30; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(40)));
  await layer.close();
  await fill('first');

  await t.test('the fault of a blob names the file system and what fills it, and what to do', async () => {
    await assert.rejects(store.put('blobs/x', Buffer.alloc(1 << 20)), (error) => {
      const text = describeError(error);
      assert.match(text, new RegExp(`file system of \\S+ \\(mounted at ${path}, 100\\.7 MB\\) has \\d.* left; below`));
      assert.match(text, /blobs with .*prune --sweep-failed/);
      return error instanceof Fault;
    });
  });

  await t.test('the catalog goes on with the reserve, in transactions and when it is opened', async () => {
    await write(long);
    assert.equal(released, 1);
    assert.equal(await readSetting(catalog.reader, 'instanceId'), long);
    await reserve.keep();
    await assert.rejects(stat(join(path, 'reserve')), 'there is no room for another yet');
  });

  await t.test(
    'without a reserve the fault is that of a full disk, and nothing suggests to give the catalog up',
    async () => {
      await fill('second');
      await assert.rejects(write('y'.repeat(50_000)), (error) => {
        const text = describeError(error);
        assert.match(text, /cannot write the catalog: the file system of .* left/);
        assert.doesNotMatch(text, /move (it|the catalog) away|rebuild/);
        return error instanceof Fault;
      });
      assert.equal(await readSetting(catalog.reader, 'instanceId'), long);
      await catalog.close().catch(() => undefined);
      const reopened = openCatalog({ path: join(path, 'catalog.sqlite'), clock: systemClock });
      await reopened.then(
        (opened) => {
          catalog = opened;
        },
        (error) => assert.doesNotMatch(describeError(error), /move (it|the catalog) away|rebuild/),
      );
    },
  );

  await t.test('what the snapshot left that failed for it is swept while the disk is still full', async () => {
    await writer.abandon();
    const failed = [{ clusterId: testClusterId, snapshotId: snapshotIdOf(1) }];
    const options = { pinned: [], writing: [], graceMs: 86_400_000, sweepFailed: { failed } };
    const { deleted } = await executePrune(repository, await planPrune(repository, options));
    assert.ok(deleted > 5);
  });
  await catalog.close().catch(() => undefined);
});

test('a lock that cannot be written says why, and not that another process holds it', () => {
  assert.throws(
    () => takeProcessLock('/proc/serve.lock'),
    (error) =>
      error instanceof Fault &&
      !/another Tidemark/.test(describeError(error)) &&
      /cannot be written: ENOENT/.test(describeError(error)),
  );
});
