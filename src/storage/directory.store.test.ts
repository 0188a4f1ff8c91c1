import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { anyObjectKeysSuite, objectStoreSuite } from '../../test/conformance/object-store.suite.ts';
import { collect } from '../../test/support/collect.ts';
import { systemClock } from '../lib/clock.ts';
import { describeError, Fault } from '../lib/errors.ts';
import { faultOf } from './directory/directory-errors.ts';
import { listFiles } from './directory/directory-listing.ts';
import { INCOMING } from './directory/incoming.ts';
import { DirectoryStore } from './directory.ts';

async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-store-'));
  return { path, remove: async () => await rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

objectStoreSuite('directory', async () => {
  const { path, remove } = await temporaryDirectory();
  const root = join(path, 'made', 'on opening');
  return { store: await DirectoryStore.open(root), another: await DirectoryStore.open(root), dispose: remove };
});

anyObjectKeysSuite('directory', async () => {
  const { path, remove } = await temporaryDirectory();
  const open = async () => await DirectoryStore.open(path, { objectKeys: 'any' });
  return { store: await open(), another: await open(), dispose: remove };
});

describe('a directory store', () => {
  let path: string;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ path, remove } = await temporaryDirectory());
  });
  afterEach(async () => {
    await remove();
  });

  test('half-written files are never objects; old ones go at the next open, young ones may be in use', async () => {
    const store = await DirectoryStore.open(path);
    await store.put('a/b', Buffer.from('x'));
    const incoming = join(path, INCOMING);
    await writeFile(join(incoming, 'old'), 'half');
    await writeFile(join(incoming, 'young'), 'half');
    const twoDaysAgo = systemClock.nowMs() / 1000 - 2 * 86_400;
    await utimes(join(incoming, 'old'), twoDaysAgo, twoDaysAgo);
    const reopened = await DirectoryStore.open(path);
    assert.deepEqual(await readdir(incoming), ['young']);
    const infos = await collect(reopened.list(''));
    assert.deepEqual(
      infos.map((info) => info.objectKey),
      ['a/b'],
    );
  });

  test('nothing is left behind by puts that succeeded or were refused, nor by deletes', async () => {
    const store = await DirectoryStore.open(path);
    await store.put('a/b/c', Buffer.from('x'), { ifAbsent: true });
    await assert.rejects(store.put('a/b/c', Buffer.from('y'), { ifAbsent: true }));
    await store.delete('a/b/c');
    assert.deepEqual(await readdir(path), [INCOMING]);
    assert.deepEqual(await readdir(join(path, INCOMING)), []);
  });

  test('of any keys, what no file system can hold is refused, and no key reaches where files are written', async () => {
    const store = await DirectoryStore.open(path, { objectKeys: 'any' });
    for (const objectKey of ['ä'.repeat(200), `${INCOMING}/x`, INCOMING]) {
      await assert.rejects(store.put(objectKey, Buffer.from('x')), /cannot hold/);
      await store.delete(objectKey);
      assert.equal(await store.head(objectKey), null);
    }
    assert.deepEqual(await readdir(path), [INCOMING]);
  });

  test('what is not of our making is not listed', async () => {
    const store = await DirectoryStore.open(path);
    await store.put('a', Buffer.from('x'));
    await mkdir(join(path, 'lost found'));
    await writeFile(join(path, 'lost found', 'x'), 'x');
    await writeFile(join(path, 'strange name'), 'x');
    await symlink('/nonexistent', join(path, 'dangling'));
    const infos = await collect(store.list(''));
    assert.deepEqual(
      infos.map((info) => info.objectKey),
      ['a'],
    );
  });

  test('a listing of more names than fit in memory is still whole and in order', async () => {
    const store = await DirectoryStore.open(path);
    const objectKeys = Array.from({ length: 60 }, (_, n) => `d/${(n * 37) % 60}${n % 4 === 0 ? '/x' : ''}`);
    for (const objectKey of objectKeys) await store.put(objectKey, Buffer.from('x'));
    const infos = await collect(listFiles(path, 'd/', undefined, { namesMax: 7 }));
    assert.deepEqual(
      infos.map((info) => info.objectKey),
      objectKeys.toSorted(),
    );
  });

  test('a failure of the file system is a Fault that says what to do', async () => {
    const store = await DirectoryStore.open(path);
    await store.put('file', Buffer.from('x'));
    await assert.rejects(
      store.put('file/below', Buffer.from('x')),
      (error) => error instanceof Fault && error.hint !== undefined && describeError(error).includes('file/below'),
    );
    assert.deepEqual(await readdir(join(path, INCOMING)), []);
    const full = faultOf('put object', 'blobs/x', Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    assert.match(describeError(full), /blobs\/x.*no space.*disk is full/i);
  });

  test('a directory that may not be written is said to be so', {
    skip: process.getuid?.() === 0 && 'root may write anywhere',
  }, async () => {
    const store = await DirectoryStore.open(path);
    await chmod(join(path, INCOMING), 0o500);
    await assert.rejects(store.put('a', Buffer.from('x')), /permission/i);
  });

  test('a place that cannot be a directory is a Fault', async () => {
    await writeFile(join(path, 'file'), 'x');
    await assert.rejects(DirectoryStore.open(join(path, 'file')), Fault);
  });
});
