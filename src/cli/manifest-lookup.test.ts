import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { manifestOf, snapshotIdOf, testRepository } from '../../test/support/test-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { SnapshotWriter } from '../repository/writer.ts';
import { exitCodes } from './exit-codes.ts';
import { describeFailure } from './failure.ts';
import { describeSource, findManifest, findManifestBefore } from './manifest-lookup.ts';

const shop = 'a1'.repeat(12);
const trial = 'b2'.repeat(12);
const { signal } = new AbortController();
const at = (t: number) => (BigInt(t) << 32n) | 1n;

describe('latest is of one cluster', () => {
  let repository: Repository;

  async function take(clusterId: string, clusterName: string, n: number, t: number): Promise<void> {
    const writer = new SnapshotWriter(repository, { clusterId, snapshotId: snapshotIdOf(n), parent: null });
    const { header, collections } = manifestOf(repository, snapshotIdOf(n), []);
    await writer.commit({
      header: { ...header, clusterId, clusterName, clusterTime: { t, i: 1, term: 1 } },
      collections,
    });
  }

  before(async () => {
    repository = await testRepository();
    await take(shop, 'Shop', 1, 2000);
    // Its id is the greater, its data the older: the clock of who took it was ahead.
    await take(shop, 'Shop', 2, 1000);
    await take(trial, 'Trial', 3, 3000);
  });

  const latest = async (from?: string): Promise<string> =>
    (await findManifest(repository, { snapshot: 'latest', from }, signal)).header.snapshotId;
  const failing = async (work: Promise<unknown>) =>
    describeFailure(
      await work.then(
        () => assert.fail('it found something'),
        (error: unknown) => error,
      ),
    );

  test('where several have snapshots its source must be named; nothing is guessed', async () => {
    const { exitCode, message } = await failing(latest());
    assert.equal(exitCode, exitCodes.usage);
    assert.match(message, /--from <cluster>.*Shop \((a1)+\).*Trial \((b2)+\)/);
  });

  test('it is the newest by the time of the data, of the cluster of that name or id', async () => {
    assert.equal(await latest('Shop'), snapshotIdOf(1));
    assert.equal(await latest(shop), snapshotIdOf(1));
    assert.equal(await latest('Trial'), snapshotIdOf(3));
    const before1500 = await findManifestBefore(repository, { snapshot: 'latest', from: 'Shop' }, at(1500), signal);
    assert.equal(before1500.header.snapshotId, snapshotIdOf(2));
  });

  test('what is not there is exit code 3, and says what is; a snapshot of another cluster is refused', async () => {
    const unknown = await failing(latest('Nope'));
    assert.deepEqual([unknown.exitCode, /Shop.*Trial/.test(unknown.message)], [exitCodes.refused, true]);
    const missing = await failing(findManifest(repository, { snapshot: snapshotIdOf(9) }, signal));
    assert.equal(missing.exitCode, exitCodes.refused);
    const early = await failing(findManifestBefore(repository, { snapshot: 'latest', from: 'Shop' }, at(500), signal));
    assert.equal(early.exitCode, exitCodes.refused);
    const other = await failing(findManifest(repository, { snapshot: snapshotIdOf(3), from: 'Shop' }, signal));
    assert.match(other.message, /is of Trial, not of Shop/);
  });

  test('two clusters of one name are told apart by their ids', async () => {
    await take('c3'.repeat(12), 'Shop', 4, 100);
    assert.match((await failing(latest('Shop'))).message, /id of one with --from/);
    assert.equal(await latest(shop), snapshotIdOf(1));
  });

  test('the question before destruction names cluster, time, documents and size', async () => {
    const { header } = await findManifest(repository, { snapshot: snapshotIdOf(3) }, signal);
    assert.equal(
      describeSource({ ...header, documents: 1234, bytes: 5_000_000 }),
      `snapshot ${snapshotIdOf(3)} of Trial as of 1970-01-01 00:50:00Z (1,234 documents, 5.0 MB)`,
    );
  });
});
