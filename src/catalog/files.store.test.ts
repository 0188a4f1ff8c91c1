import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Fault } from '../lib/errors.ts';
import { openCatalog } from './catalog.ts';
import { takeProcessLock } from './process-lock.ts';
import { readSetting, writeSetting } from './settings.ts';

const clock = new FakeClock();

async function inTemporaryDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-catalog-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('what was committed is there after reopening, and a second process may read and write beside the first', async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'catalog.sqlite');
    const first = await openCatalog({ path, clock });
    const second = await openCatalog({ path, clock });
    await first.transact(async (writer) => await writeSetting(writer, 'instanceId', 'first'));
    assert.equal(await readSetting(second.reader, 'instanceId'), 'first');
    await second.transact(async (writer) => await writeSetting(writer, 'instanceId', 'second'));
    await first.close();
    await second.close();
    const again = await openCatalog({ path, clock });
    assert.equal(await readSetting(again.reader, 'instanceId'), 'second');
    await again.close();
  });
});

test('a file that is no catalog is refused, in words', async () => {
  await inTemporaryDirectory(async (directory) => {
    await assert.rejects(openCatalog({ path: join(directory, 'missing', 'catalog.sqlite'), clock }), Fault);
  });
});

test('one process holds the lock of a data directory, and gives it up', async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'serve.lock');
    const lock = takeProcessLock(path);
    assert.throws(() => takeProcessLock(path), Fault);
    lock.release();
    takeProcessLock(path).release();
  });
});
