import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { Damage, describeError, Fault } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import { defaultChunkSizes } from './boundaries.ts';
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
  const created = await createRepository(at, { passphrase: 'correct horse' });
  const opened = await openRepository(at, { passphrase: 'correct horse' });
  assert.equal(opened.encrypted, true);
  assert.deepEqual(opened.chunker, created.chunker);
  const object = await created.sealer.seal(4, Buffer.from('x'), Buffer.from('y'));
  assert.equal((await opened.sealer.unseal(4, object, Buffer.from('y'), 'z')).toString(), 'x');
  await assert.rejects(openRepository(at, { passphrase: 'wrong' }), /passphrase is not that/);
  await assert.rejects(openRepository(at), (error) => describeError(error).includes('Give its passphrase'));
  assert.equal((await at.store.get('repository.json')).includes('seed'), false);
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
  await createRepository(at, { passphrase: 'p' });
  const json = JSON.parse((await at.store.get('repository.json')).toString()) as Record<string, unknown>;
  json.repositoryId = 'f'.repeat(24);
  await at.store.put('repository.json', Buffer.from(JSON.stringify(json)));
  await assert.rejects(openRepository(at, { passphrase: 'p' }), /passphrase is not that/);
  await at.store.put('repository.json', Buffer.from('{'));
  await assert.rejects(openRepository(at, { passphrase: 'p' }), Damage);
});
