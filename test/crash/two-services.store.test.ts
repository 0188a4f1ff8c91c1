import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { Fault } from '../../src/lib/errors.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { checkRepository } from '../../src/repository/upkeep/check.ts';
import { executePrune, planPrune } from '../../src/repository/upkeep/prune.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { DirectoryStore } from '../../src/storage/directory.ts';
import { collect } from '../support/collect.ts';
import { documentWith, int32Id } from '../support/raw-documents.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from '../support/test-repository.ts';

const DAY_MS = 86_400_000;

/** As that of a machine that is 25 hours ahead; it runs as the real one does. */
const aheadClock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 25 * 3_600_000 };

describe('two services on one directory, the clock of one 25 hours ahead', () => {
  let path: string;
  let ours: Repository;
  let theirs: Repository;

  before(async () => {
    path = await mkdtemp(join(tmpdir(), 'tidemark-two-'));
    const made = await testRepository({ store: await DirectoryStore.open(path) });
    ours = await openRepository({ store: made.store, clock: systemClock, random: new SeededRandom(2) });
    theirs = await openRepository({
      store: await DirectoryStore.open(path),
      clock: aheadClock,
      random: new SeededRandom(3),
    });
  });
  after(async () => await rm(path, { recursive: true, force: true }));

  test('neither takes what the other writes, not even what is old; the snapshot completes without holes', async () => {
    const place = { clusterId: testClusterId, snapshotId: snapshotIdOf(1) };
    const writer = new SnapshotWriter(ours, { ...place, parent: null });
    const layer = writer.openLayer({ kind: 'base' });
    for (let id = 0; id < 40; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(40)));
    const closed = await layer.close();
    const written = await collect(ours.store.list('blobs/'));
    const twoDaysAgo = (systemClock.nowMs() - 2 * DAY_MS) / 1000;
    for (const { objectKey } of written) await utimes(join(path, objectKey), twoDaysAgo, twoDaysAgo);

    const options = { pinned: [], writing: [], graceMs: DAY_MS };
    await assert.rejects(
      planPrune(theirs, options),
      (error) => error instanceof Fault && /25 h 0 min ahead of that of directory/.test(error.message),
    );
    const other = await openRepository({ store: theirs.store, clock: systemClock, random: new SeededRandom(4) });
    assert.equal((await executePrune(other, await planPrune(other, options))).deleted, 0);

    await writer.commit(manifestOf(ours, place.snapshotId, [collectionOf('x', [closed])]));
    const report = await checkRepository(theirs, { readData: true });
    // The manifest came with one section.
    assert.deepEqual([report.snapshots, report.blobs, report.problems], [1, written.length + 1, []]);
  });

  test('a start with a wrong clock takes no file away that another service is just writing', async () => {
    await writeFile(join(path, 'incoming~', 'half'), 'half written');
    await DirectoryStore.open(path, { random: new SeededRandom(5) });
    assert.deepEqual(await readdir(join(path, 'incoming~')), ['half']);
  });
});
