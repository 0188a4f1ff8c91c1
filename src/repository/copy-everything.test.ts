import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { MemoryStore } from '../storage/memory.ts';
import type { PutOptions } from '../storage/object-store.ts';
import { copyEverything, findForeign } from './copy-everything.ts';

/** Notes in which order objects come, and takes no more than so many. */
class NotingStore extends MemoryStore {
  readonly keys: string[] = [];
  most = Number.POSITIVE_INFINITY;

  override async put(objectKey: string, body: Uint8Array, options?: PutOptions): Promise<void> {
    if (this.keys.length >= this.most) throw new Error('the store is full');
    await super.put(objectKey, body, options);
    this.keys.push(objectKey);
  }
}

const KEYS = [
  'blobs/a/b/1',
  'leases/a/b/1',
  'manifests/a/b',
  'oplog/a/1',
  'repository.copy.json',
  'repository.json',
  'verified/a/b',
];

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore(systemClock);
  for (const key of KEYS) await store.put(key, Buffer.from(key));
  return store;
}

test('what is named comes before what names it, leases and notes of verification stay, and a copy that was cut off goes on', async () => {
  const from = await filled();
  const to = new NotingStore(systemClock);
  to.most = 3;
  await assert.rejects(copyEverything(from, to, {}), /full/);
  assert.deepEqual(to.keys, ['blobs/a/b/1', 'oplog/a/1', 'manifests/a/b']);
  to.most = Number.POSITIVE_INFINITY;
  assert.equal((await copyEverything(from, to, {})).objects, 2);
  assert.deepEqual(to.keys.slice(3), ['repository.copy.json', 'repository.json']);
  assert.deepEqual(await to.get('manifests/a/b'), await from.get('manifests/a/b'));
  assert.deepEqual(await copyEverything(from, to, {}), { objects: 0, bytes: 0 });
});

test('an object of another length is no part of the copy, and one that is nowhere else is foreign', async () => {
  const from = await filled();
  const to = new MemoryStore(systemClock);
  await to.put('blobs/a/b/1', Buffer.from('b'));
  assert.equal(await findForeign(to, from, undefined), null);
  await copyEverything(from, to, {});
  assert.equal(String(await to.get('blobs/a/b/1')), 'blobs/a/b/1');
  await to.put('notes.txt', Buffer.from('mine'));
  assert.equal(await findForeign(to, from, undefined), 'notes.txt');
});
