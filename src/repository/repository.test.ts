import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { cheapScrypt, testRepository } from '../../test/support/test-repository.ts';
import { Damage, describeError, Fault } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import { writeCatalogCopy } from './catalog-copies.ts';
import { decodeRepositoryJson, encodeRepositoryJson } from './format/repository-json.ts';
import { defaultChunkSizes } from './layers/boundaries.ts';
import { createRepository, openRepository, type RepositoryContext } from './repository.ts';

function context(): RepositoryContext {
  const clock = new FakeClock();
  return { store: new MemoryStore(clock), clock, random: new SeededRandom(1) };
}

test('a plain repository is opened with the parameters it was created with', async () => {
  const at = context();
  const created = await createRepository(at, { chunker: { minBytes: 10, targetBytes: 20, maxBytes: 30 } });
  const opened = await openRepository(at);
  assert.equal(opened.repositoryId, created.repositoryId);
  assert.deepEqual(opened.chunker, created.chunker);
  assert.deepEqual({ ...opened.chunker, seed: 0 }, { minBytes: 10, targetBytes: 20, maxBytes: 30, seed: 0 });
  assert.equal(opened.encrypted, false);
});

test('an encrypted repository opens with its passphrase only, and says what is wrong else', async () => {
  const at = context();
  const created = await createRepository(at, { passphrase: 'correct horse', scryptCost: cheapScrypt });
  const opened = await openRepository(at, { passphrase: 'correct horse' });
  assert.equal(opened.encrypted, true);
  assert.deepEqual(opened.chunker, created.chunker);
  const object = await created.sealer.seal(4, Buffer.from('x'), Buffer.from('y'));
  assert.equal((await opened.sealer.unseal(4, object, Buffer.from('y'), 'z')).toString(), 'x');
  await assert.rejects(openRepository(at, { passphrase: 'wrong' }), /passphrase is not that/);
  await assert.rejects(openRepository(at), (error) => describeError(error).includes('no passphrase was given'));
  assert.equal((await at.store.get('repository.json')).includes('seed'), false);
});

test('a guess at a passphrase costs 32 MiB and a tenth of a second', async () => {
  const at = context();
  await createRepository(at, { passphrase: 'correct horse' });
  const { encryption } = JSON.parse((await at.store.get('repository.json')).toString()) as {
    encryption: { kdf: { salt: string } };
  };
  const { salt, ...cost } = encryption.kdf;
  assert.equal(Buffer.from(salt, 'base64').length, 16);
  assert.deepEqual(cost, { algorithm: 'scrypt', n: 32_768, r: 8, p: 1 });
});

test('a passphrase for a repository that is not encrypted is not silently ignored', async () => {
  const at = context();
  await createRepository(at);
  await assert.rejects(openRepository(at, { passphrase: 'x' }), /not encrypted/);
});

test('a repository is never created over another, nor found where there is none', async () => {
  const at = context();
  await assert.rejects(openRepository(at), (error) => error instanceof Fault && /no repository/.test(error.message));
  const first = await createRepository(at);
  assert.deepEqual({ ...first.chunker, seed: 0 }, { ...defaultChunkSizes, seed: 0 });
  await assert.rejects(createRepository(at), /already/);
  assert.equal((await openRepository(at)).repositoryId, first.repositoryId);
});

test('parameters that would not open are not written', async () => {
  const at = context();
  await assert.rejects(createRepository(at, { chunker: { minBytes: 50, targetBytes: 20, maxBytes: 30 } }), /sizes/);
  assert.equal(await at.store.head('repository.json'), null);
});

test('a damaged description is damage, and a wrapped key in another repository does not open', async () => {
  const at = context();
  await createRepository(at, { passphrase: 'p', scryptCost: cheapScrypt });
  const json = JSON.parse((await at.store.get('repository.json')).toString()) as Record<string, unknown>;
  json.repositoryId = 'f'.repeat(24);
  delete json.checksum;
  await at.store.delete('repository.copy.json');
  await at.store.put('repository.json', Buffer.from(JSON.stringify(json)));
  await assert.rejects(openRepository(at, { passphrase: 'p' }), /passphrase is not that/);
  await at.store.put('repository.json', Buffer.from('{'));
  await assert.rejects(openRepository(at, { passphrase: 'p' }), Damage);
});

describe('the second copy of repository.json', () => {
  const COPY = 'repository.copy.json';
  const ORIGINAL = 'repository.json';
  const passphrase = 'correct horse';
  let store: MemoryStore;
  const open = async (given: { passphrase?: string } = { passphrase }) =>
    await openRepository({ store, clock: new FakeClock(), random: new SeededRandom(2) }, given);
  const change = async (objectKey: string, from: RegExp, to: string): Promise<void> => {
    const text = (await store.get(objectKey)).toString();
    assert.match(text, from);
    await store.put(objectKey, Buffer.from(text.replace(from, to)));
  };
  const bothAre = async (bytes: Buffer): Promise<void> => {
    for (const objectKey of [ORIGINAL, COPY]) assert.ok((await store.get(objectKey)).equals(bytes), objectKey);
  };

  const made = new MemoryStore(new FakeClock());
  before(async () => void (await testRepository({ store: made, passphrase })));

  beforeEach(async () => {
    store = new MemoryStore(new FakeClock());
    for (const objectKey of [ORIGINAL, COPY]) await store.put(objectKey, await made.get(objectKey));
  });

  for (const [name, spoil] of [
    ['the salt', async () => await change(ORIGINAL, /"salt": "../, '"salt": "AA')],
    ['the wrapped key', async () => await change(ORIGINAL, /"wrapped": "../, '"wrapped": "AA')],
    ['the sizes', async () => await change(ORIGINAL, /"minBytes": \d/, '"minBytes": 1')],
    ['the checksum', async () => await change(ORIGINAL, /"checksum": "../, '"checksum": "zz')],
    ['its last half', async () => await store.put(ORIGINAL, (await store.get(ORIGINAL)).subarray(0, 200))],
    ['all of it', async () => await store.delete(ORIGINAL)],
    [
      'the checksum taken out, and the salt',
      async () => {
        await change(ORIGINAL, /,\s*"checksum": "[0-9a-f]+"/, '');
        await change(ORIGINAL, /"salt": "../, '"salt": "AA');
      },
    ],
  ] as const) {
    test(`a change of ${name} is named, mended from the copy, and is no wrong passphrase`, async () => {
      const sound = await store.get(COPY);
      await spoil();
      const opened = await open();
      assert.match(opened.notice ?? '', /repository\.json (is|was).*; it was put back from its copy/);
      await bothAre(sound);
      if (name !== 'the salt') return;
      assert.equal((await open()).notice, null);
      await assert.rejects(open({ passphrase: 'wrong' }), /the passphrase is not that of the repository/);
    });
  }

  test('where neither can be read it is damage that says so, whatever the passphrase', async () => {
    await change(ORIGINAL, /"salt": "../, '"salt": "AA');
    await store.put(COPY, Buffer.from('{}'));
    await assert.rejects(
      open(),
      (error) => error instanceof Damage && /was changed.*repository\.copy\.json/.test(error.message),
    );
    await store.delete(COPY);
    await assert.rejects(open(), (error) => error instanceof Damage && /there is no copy of it/.test(error.message));
  });

  test('where both are gone beside snapshots, it is damage and no empty place', async () => {
    for (const objectKey of [ORIGINAL, COPY]) await store.delete(objectKey);
    await assert.rejects(open(), /there is no repository/);
    await store.put('manifests/c/s', Buffer.from('x'));
    await assert.rejects(
      open(),
      (error) => error instanceof Damage && /Put repository.json back/.test(error.hint ?? ''),
    );
  });

  test('a repository of before there were checksums opens, and has both once something is written into it', async () => {
    await store.delete(COPY);
    await change(ORIGINAL, /,\s*"checksum": "[0-9a-f]+"/, '');
    const opened = await open();
    assert.equal(opened.notice, null);
    assert.equal(await store.head(COPY), null);
    await assert.rejects(
      open({ passphrase: 'wrong' }),
      (error) => error instanceof Fault && /was changed/.test(error.hint ?? ''),
    );
    await writeCatalogCopy(opened, {});
    await bothAre(opened.description);
    assert.match((await store.get(COPY)).toString(), /"checksum"/);
  });
});

test('a repository of version 1 stays one until a newer manifest is put, and nobody sets it back', async () => {
  const at = context();
  await createRepository(at);
  const versionOf = async (objectKey: string): Promise<number> =>
    (JSON.parse((await at.store.get(objectKey)).toString()) as { version: number }).version;
  const both = async () => [await versionOf('repository.json'), await versionOf('repository.copy.json')];
  const description = decodeRepositoryJson(await at.store.get('repository.json'), 'x');
  const first = encodeRepositoryJson({ ...description, version: 1 });
  for (const objectKey of ['repository.json', 'repository.copy.json']) await at.store.put(objectKey, first);
  const [one, other] = [await openRepository(at), await openRepository(at)];
  await writeCatalogCopy(one, ['x']);
  assert.deepEqual(await both(), [1, 1]);
  await one.becomeNewest();
  assert.deepEqual(await both(), [2, 2]);
  await writeCatalogCopy(other, ['x']);
  assert.deepEqual(await both(), [2, 2], 'by who opened it before');
  assert.equal((await openRepository(at)).notice, null);
});
