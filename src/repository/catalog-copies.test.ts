import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { testRepository } from '../../test/support/test-repository.ts';
import { Damage } from '../lib/errors.ts';
import { readLatestCatalogCopy, writeCatalogCopy } from './catalog-copies.ts';

for (const passphrase of [undefined, 'secret']) {
  test(`the newest ten copies are kept, and the newest is read, ${passphrase === undefined ? 'plain' : 'encrypted'}`, async () => {
    const clock = new FakeClock();
    const repository = await testRepository({ clock, ...(passphrase === undefined ? {} : { passphrase }) });
    assert.equal(await readLatestCatalogCopy(repository), null);
    for (let n = 0; n < 15; n++) {
      if (n % 2 === 0) await clock.advance(3_600_000); // every other one comes within the same millisecond
      await writeCatalogCopy(repository, { n, text: 'ünï' });
      assert.deepEqual(await readLatestCatalogCopy(repository), { n, text: 'ünï' });
    }
    const keys = (await collect(repository.store.list('catalog/'))).map((info) => info.objectKey);
    assert.equal(keys.length, 10);
    for (const key of keys) assert.match(key, /^catalog\/\d{8}T\d{6}\.\d{3}Z$/);
  });
}

test('a damaged copy is passed over for an older one; damage is said only where there is no other', async () => {
  const clock = new FakeClock();
  const repository = await testRepository({ clock });
  await writeCatalogCopy(repository, { n: 1 });
  await clock.advance(1000);
  await writeCatalogCopy(repository, { n: 2 });
  const [older, newer] = await collect(repository.store.list('catalog/'));
  const damage = async (objectKey: string | undefined): Promise<void> => {
    const bytes = await repository.store.get(objectKey ?? '');
    bytes[20] = (bytes[20] as number) ^ 1;
    await repository.store.put(objectKey ?? '', bytes);
  };
  await damage(newer?.objectKey);
  assert.deepEqual(await readLatestCatalogCopy(repository), { n: 1 });
  await damage(older?.objectKey);
  await assert.rejects(readLatestCatalogCopy(repository), Damage);
});

test('a copy put under another time does not pass for it where the repository is encrypted', async () => {
  const repository = await testRepository({ passphrase: 'secret' });
  await writeCatalogCopy(repository, { n: 1 });
  const [only] = await collect(repository.store.list('catalog/'));
  const bytes = await repository.store.get(only?.objectKey ?? '');
  await repository.store.delete(only?.objectKey ?? '');
  await repository.store.put('catalog/20990101T000000.000Z', bytes);
  await assert.rejects(readLatestCatalogCopy(repository), Damage);
});
