import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  isValidObjectKey,
  ObjectExists,
  type ObjectInfo,
  ObjectMissing,
  type ObjectStore,
} from '../../src/storage/object-store.ts';
import { collect } from '../support/collect.ts';

/**
 * A store that is empty at the start of each test. `another` is a second instance over the same objects: another
 * process.
 */
export interface StoreUnderTest {
  store: ObjectStore;
  another: ObjectStore;
  dispose(): Promise<void>;
}

const bytes = (text: string): Buffer => Buffer.from(text);

async function listed(store: ObjectStore, prefix: string): Promise<ObjectInfo[]> {
  return await collect(store.list(prefix));
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await listed(store, prefix)).map((info) => info.objectKey);
}

/** Holds a store to the promises at the top of `src/storage/object-store.ts`. */
export function objectStoreSuite(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    let underTest: StoreUnderTest;
    let store: ObjectStore;
    beforeEach(async () => {
      underTest = await create();
      store = underTest.store;
    });
    afterEach(async () => {
      await underTest.dispose();
    });
    puttingTests(() => store);
    sharingTests(() => underTest);
    listingTests(() => store);
    abortTests(() => store);
  });
}

function puttingTests(at: () => ObjectStore): void {
  test('what was put is got back whole, of any size', async () => {
    for (const size of [0, 1, 4096, 3_000_001]) {
      const body = Buffer.alloc(size, size % 251);
      await at().put(`sizes/${size}`, body);
      assert.ok(body.equals(await at().get(`sizes/${size}`)));
      assert.equal((await at().head(`sizes/${size}`))?.sizeBytes, size);
    }
  });

  test('the buffers on both sides belong to the caller', async () => {
    const body = bytes('first');
    await at().put('mine', body);
    body.fill(0);
    const got = await at().get('mine');
    assert.equal(got.toString(), 'first');
    got.fill(0);
    assert.equal((await at().get('mine')).toString(), 'first');
  });

  test('a later put replaces the object', async () => {
    await at().put('same/key', bytes('long first body'));
    await at().put('same/key', bytes('second'));
    assert.equal((await at().get('same/key')).toString(), 'second');
    assert.equal((await listed(at(), 'same/')).length, 1);
  });

  test('ifAbsent refuses an object that is there and leaves it as it is', async () => {
    await at().put('once', bytes('first'), { ifAbsent: true });
    await assert.rejects(at().put('once', bytes('second'), { ifAbsent: true }), ObjectExists);
    assert.equal((await at().get('once')).toString(), 'first');
  });

  test('what is not there is missing, and deleting it succeeds', async () => {
    await at().put('there/is/one', bytes('x'));
    for (const objectKey of ['nothing', 'there/is', 'there/is/one/below', 'there/is/on', 'there']) {
      await assert.rejects(at().get(objectKey), ObjectMissing, objectKey);
      assert.equal(await at().head(objectKey), null, objectKey);
      await at().delete(objectKey);
    }
    assert.deepEqual(await keysOf(at(), ''), ['there/is/one']);
  });

  test('a deleted object is gone and its key can be used again', async () => {
    await at().put('a/b', bytes('x'), { ifAbsent: true });
    await at().delete('a/b');
    assert.equal(await at().head('a/b'), null);
    assert.deepEqual(await keysOf(at(), ''), []);
    await at().put('a/b', bytes('y'), { ifAbsent: true });
    assert.equal((await at().get('a/b')).toString(), 'y');
  });

  test('a key that is none is refused by put and names nothing elsewhere', async () => {
    for (const objectKey of [
      '',
      '/',
      'a//b',
      '/a',
      'a/',
      '.',
      '..',
      'a/../b',
      'a/./b',
      'ä',
      'a b',
      'a\\b',
      'a\0b',
      'a~',
    ]) {
      assert.equal(isValidObjectKey(objectKey), false, objectKey);
      await assert.rejects(at().put(objectKey, bytes('x')), `"${objectKey}"`);
      await assert.rejects(at().get(objectKey), ObjectMissing);
      assert.equal(await at().head(objectKey), null);
      await at().delete(objectKey);
    }
    assert.deepEqual(await keysOf(at(), ''), []);
  });

  test('times do not run backwards from one put to the next', async () => {
    await at().put('t/1', bytes('x'));
    await at().put('t/2', bytes('x'));
    const [first, second] = await listed(at(), 't/');
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(second.modifiedAtMs >= first.modifiedAtMs);
    assert.deepEqual(await at().head('t/1'), first);
  });
}

function sharingTests(at: () => StoreUnderTest): void {
  test('another process sees at once what was acknowledged', async () => {
    const { store, another } = at();
    await store.put('x/y', bytes('1'));
    assert.equal((await another.get('x/y')).toString(), '1');
    assert.deepEqual(await keysOf(another, ''), ['x/y']);
    await assert.rejects(another.put('x/y', bytes('2'), { ifAbsent: true }), ObjectExists);
    await another.delete('x/y');
    assert.equal(await store.head('x/y'), null);
  });

  test('of many that put one key if absent, exactly one succeeds, and its body is there', async () => {
    const { store, another } = at();
    const attempts = Array.from({ length: 20 }, async (_, n) => {
      const body = Buffer.alloc(10_000, n);
      await (n % 2 === 0 ? store : another).put('race/key', body, { ifAbsent: true });
      return n;
    });
    const outcomes = await Promise.allSettled(attempts);
    const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    assert.equal(winners.length, 1);
    const body = await store.get('race/key');
    assert.ok(body.equals(Buffer.alloc(10_000, winners[0]?.value)));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ObjectExists);
    }
  });

  test('a reader beside a writer sees one whole body or the other', async () => {
    const { store, another } = at();
    const size = 200_000;
    await store.put('turning', Buffer.alloc(size, 0));
    const writing = (async () => {
      for (let n = 1; n <= 20; n++) await store.put('turning', Buffer.alloc(size, n));
    })();
    for (let n = 0; n < 40; n++) {
      const body = await another.get('turning');
      assert.equal(body.length, size);
      assert.ok(body.equals(Buffer.alloc(size, body[0])), 'the body is of one piece');
    }
    await writing;
  });

  test('puts and deletes beside each other in one place all take effect', async () => {
    const { store, another } = at();
    await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const one = n % 2 === 0 ? store : another;
        const objectKey = `deep/er/${n % 3}/${n}`;
        await one.put(objectKey, bytes(String(n)), { ifAbsent: true });
        if (n % 5 !== 0) await one.delete(objectKey);
      }),
    );
    const left = [0, 5, 10, 15, 20, 25].map((n) => `deep/er/${n % 3}/${n}`).sort();
    assert.deepEqual(await keysOf(store, ''), left);
  });
}

function listingTests(at: () => ObjectStore): void {
  test('a listing is in byte order of whole keys and holds each once', async () => {
    const objectKeys = ['a/b/c', 'a-b', 'a.b', 'a/b', 'aa', 'a/a', 'B', '_', 'a0', 'b/z', 'b/y/x', 'b/y.x', 'b-y/x'];
    const put = objectKeys.filter((objectKey) => objectKey !== 'a/b');
    for (const objectKey of put) await at().put(objectKey, bytes(objectKey));
    assert.deepEqual(await keysOf(at(), ''), put.toSorted());
    const infos = await listed(at(), '');
    assert.ok(infos.every((info) => info.sizeBytes === info.objectKey.length));
  });

  test('a prefix is any start of a key', async () => {
    const objectKeys = ['p/1', 'p/10', 'p/2/x', 'p/2/y', 'p2', 'q'];
    for (const objectKey of objectKeys) await at().put(objectKey, bytes('x'));
    for (const prefix of ['', 'p', 'p/', 'p/1', 'p/2', 'p/2/', 'p/2/x', 'q', 'r', 'p/3/', 'q/', '../', 'P']) {
      const expected = objectKeys.filter((objectKey) => objectKey.startsWith(prefix));
      assert.deepEqual(await keysOf(at(), prefix), expected, `prefix "${prefix}"`);
    }
  });

  test('many objects are all listed', async () => {
    const objectKeys = Array.from({ length: 400 }, (_, n) => `many/${n % 7}/${String(n).padStart(5, '0')}`);
    for (const objectKey of objectKeys) await at().put(objectKey, bytes(''));
    assert.deepEqual(await keysOf(at(), 'many/'), objectKeys.toSorted());
  });

  test('a listing can be left early', async () => {
    for (const objectKey of ['l/1', 'l/2', 'l/3']) await at().put(objectKey, bytes('x'));
    for await (const info of at().list('l/')) {
      assert.equal(info.objectKey, 'l/1');
      break;
    }
  });
}

function abortTests(at: () => ObjectStore): void {
  test('a signal that has fired rejects every call and nothing is written', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await at().put('kept', bytes('x'));
    await assert.rejects(at().put('new', bytes('x'), { signal }), /enough/);
    await assert.rejects(at().get('kept', { signal }), /enough/);
    await assert.rejects(at().head('kept', { signal }), /enough/);
    await assert.rejects(at().delete('kept', { signal }), /enough/);
    await assert.rejects(collect(at().list('', { signal })), /enough/);
    assert.deepEqual(await keysOf(at(), ''), ['kept']);
  });

  test('a put that is aborted midway leaves the whole object or none', async () => {
    const body = Buffer.alloc(2_000_000, 7);
    for (let n = 0; n < 8; n++) {
      const controller = new AbortController();
      const put = at().put(`abort/${n}`, body, { signal: controller.signal });
      for (let turn = 0; turn < n * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new Error('enough'));
      await put.catch((error: unknown) => assert.match(String(error), /enough/));
    }
    for (const info of await listed(at(), 'abort/')) {
      assert.ok(body.equals(await at().get(info.objectKey)));
    }
  });
}

export interface AnyKeyLimits {
  /** Names beyond ASCII are listed as the provider likes, not by bytes. */
  ownOrder?: boolean;
  /** Names that the provider does not keep as they are: they are refused. */
  refused?: readonly string[];
}

/** What a store opened with `objectKeys: 'any'` holds beyond the rest. */
export function anyObjectKeysSuite(
  name: string,
  create: () => Promise<StoreUnderTest>,
  limits: AnyKeyLimits = {},
): void {
  describe(`object store of any keys: ${name}`, () => {
    test('names of databases and collections are kept as they are, in byte order', async () => {
      const { store, another, dispose } = await create();
      try {
        const objectKeys = [
          'exported_snapshots/Acme & Söhne/pröject #1/my cluster/2026-11-22T1020/1732270830/shop/änderungen?.json.gz',
          'e/a+b%20c/"quoted"/\'single\'/x=y;z,(w)!*@:$&[]{}^`|<>',
          'e/a b/.complete',
          'e/a b/ leading and trailing ',
          'e/back\\slash',
          'e/~tilde',
          'e/...',
          'e/\u{ff21}',
          'e/\u{1f600}',
          'e/日本語/コレクション.metadata.json',
          `e/${'l'.repeat(200)}/${'o'.repeat(200)}/${'n'.repeat(200)}`,
        ].filter((objectKey) => limits.refused?.includes(objectKey) !== true);
        for (const objectKey of objectKeys) await store.put(objectKey, bytes(objectKey), { ifAbsent: true });
        const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
        const found = await keysOf(another, 'e');
        assert.deepEqual(limits.ownOrder === true ? found.toSorted(byBytes) : found, objectKeys.toSorted(byBytes));
        assert.deepEqual(await keysOf(another, 'e/a b/'), ['e/a b/ leading and trailing ', 'e/a b/.complete']);
        for (const objectKey of objectKeys) {
          assert.equal((await another.get(objectKey)).toString(), objectKey);
          assert.equal((await another.head(objectKey))?.sizeBytes, Buffer.byteLength(objectKey));
          await assert.rejects(another.put(objectKey, bytes('x'), { ifAbsent: true }), ObjectExists);
          await another.delete(objectKey);
        }
        assert.deepEqual(await keysOf(store, ''), []);
        for (const objectKey of [
          '',
          '/a',
          'a/',
          'a//b',
          'a/../b',
          '.',
          'a\nb',
          'a\u0085b',
          '\ud800',
          'ä'.repeat(513),
        ]) {
          await assert.rejects(store.put(objectKey, bytes('x')), `"${objectKey}"`);
          assert.equal(await store.head(objectKey), null);
        }
      } finally {
        await dispose();
      }
    });
  });
}
