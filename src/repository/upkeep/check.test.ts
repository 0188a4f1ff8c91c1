import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import { Fault } from '../../lib/errors.ts';
import type { Progress } from '../../lib/progress.ts';
import type { LayerRef } from '../format/manifest.ts';
import type { Repository } from '../repository.ts';
import { SnapshotWriter } from '../writer.ts';
import { checkRepository } from './check.ts';

/* What damage to each single object leads to is in `test/crash/repository-damage.test.ts`. */

const otherClusterId = 'e2'.repeat(12);

describe('check', () => {
  let repository: Repository;
  beforeEach(async () => {
    repository = await testRepository();
  });

  async function snapshot(n: number, clusterId = testClusterId, change: Partial<LayerRef> = {}): Promise<void> {
    const writer = new SnapshotWriter(repository, { clusterId, snapshotId: snapshotIdOf(n), parent: null });
    const layer = writer.openLayer({ kind: 'base' });
    for (let id = 0; id < 500; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(60, n)));
    const entry = collectionOf('x', [{ ...(await layer.close()), ...change }]);
    const manifest = manifestOf(repository, snapshotIdOf(n), [entry]);
    await writer.commit({ ...manifest, header: { ...manifest.header, clusterId } });
  }

  test('counts that do not add up are a problem of the namespace', async () => {
    for (const [n, change] of [{ documents: 499 }, { bytes: 1 }, { storedBytes: 1 }].entries()) {
      await snapshot(n + 1, testClusterId, change);
      const { problems } = await checkRepository(repository, { snapshotId: snapshotIdOf(n + 1) });
      assert.equal(problems.length, 1);
      assert.equal(problems[0]?.namespace, 'shop.x');
      assert.match(problems[0]?.problem ?? '', /^layer 0: the manifest counts/);
    }
  });

  test('one cluster, or one snapshot, can be checked alone', async () => {
    await snapshot(1);
    await snapshot(2);
    await snapshot(3, otherClusterId);
    const snapshots = async (options: object): Promise<number> =>
      (await checkRepository(repository, options)).snapshots;
    assert.equal(await snapshots({}), 3);
    assert.equal(await snapshots({ clusterId: testClusterId }), 2);
    assert.equal(await snapshots({ snapshotId: snapshotIdOf(3) }), 1);
    await assert.rejects(checkRepository(repository, { snapshotId: snapshotIdOf(9) }), Fault);
    assert.deepEqual((await checkRepository(repository, { clusterId: 'f'.repeat(24) })).problems, []);
  });

  test('a lost disk gives a report that a person can read and that names every snapshot', async () => {
    await snapshot(1);
    await snapshot(2);
    const blobs = await collect(repository.store.list('blobs/'));
    let lost = 0;
    for (const { objectKey } of blobs) {
      if ((await repository.store.get(objectKey))[5] !== 1) continue;
      await repository.store.delete(objectKey);
      lost++;
    }
    const { problems, problemsLeftOut } = await checkRepository(repository);
    assert.equal(problems.length, 200);
    assert.equal(problems.length + problemsLeftOut, lost);
    assert.deepEqual(
      new Set(problems.map(({ snapshotId }) => snapshotId)),
      new Set([snapshotIdOf(1), snapshotIdOf(2)]),
    );
  });

  test('it says how far it is, and stops when told', async () => {
    await snapshot(1);
    const seen: Progress[] = [];
    const report = await checkRepository(repository, {
      readData: true,
      report: (progress) => seen.push({ ...progress }),
    });
    assert.equal(seen.at(-1)?.bytesDone, report.bytes);
    assert.equal(seen.at(-1)?.documentsDone, 500);
    assert.ok(seen.every((progress, n) => n === 0 || progress.bytesDone >= (seen[n - 1]?.bytesDone ?? 0)));
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(checkRepository(repository, { signal }), /enough/);
  });
});
