import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dataFileKey, exportNamePart, exportPrefix, metadataKey } from './object-layout.ts';

test('the prefix is that of a recorded export', () => {
  const prefix = exportPrefix({
    organization: 'a'.repeat(24),
    project: 'b'.repeat(24),
    clusterName: 'Cluster0',
    snapshotMs: Date.parse('2026-08-10T03:27:08Z'),
    jobSeconds: Date.parse('2026-08-10T03:28:25Z') / 1000,
  });
  assert.equal(prefix, `exported_snapshots/${'a'.repeat(24)}/${'b'.repeat(24)}/Cluster0/2026-08-10T0327/1786332505`);
});

test('names in a prefix keep what every store takes', () => {
  for (const dotsAtEnd of [true, false]) {
    const part = (text: string) => exportNamePart(text, { dotsAtEnd });
    assert.equal(part("Jane's Org - 2026-08-10"), "Jane's_Org_-_2026-08-10");
    assert.equal(part('A/B&C:D%{}#Ä'), 'ABCD');
    assert.deepEqual(['Ж', '..', '.', '', '...'].map(part), ['_', '_', '_', '_', dotsAtEnd ? '...' : '_']);
    assert.equal(part('Acme v1.2 Inc..'), dotsAtEnd ? 'Acme_v1.2_Inc..' : 'Acme_v1.2_Inc');
  }
});

test('no two collections share a key, and each name is one part of it', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', '.', '/', '%', '2', 'F', 'f', '\\', '\n', '\u007f', 'ä'),
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(name, name, (one, other) => {
      const keys = [one, other].map((collection) => metadataKey('p', { db: 'db', name: collection }));
      assert.equal(keys[0] === keys[1], one === other);
      const parts = (keys[0] as string).split('/');
      assert.equal(parts.length, 4);
      assert.ok(parts.every((part) => !part.endsWith('.')));
      assert.equal(decodeURIComponent(parts[2] as string), one, 'file names are decoded as mongorestore decodes them');
    }),
  );
  assert.equal(dataFileKey('p', { db: 'shop', name: 'orders' }, 'rs0', 12), 'p/shop/orders/rs0.12.json.gz');
});
