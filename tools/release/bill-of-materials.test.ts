import assert from 'node:assert/strict';
import { test } from 'node:test';
import { billOfMaterials } from './bill-of-materials.ts';
import type { Library } from './libraries.ts';
import { placesOf, renderNotices } from './libraries.ts';

const library: Library = {
  name: '@scope/part',
  version: '1.2.3',
  license: '(MIT OR Apache-2.0)',
  place: 'node_modules/@scope/part',
  notices: ['Copyright somebody\n'],
};
const integrity = `sha512-${Buffer.alloc(64, 0xab).toString('base64')}`;
const facts = { version: '0.1.0', nodeVersion: '24.0.0', madeAt: '2026-12-01T00:00:00.000Z' };
const lockfile = { packages: { [library.place]: { version: '1.2.3', integrity } } };

test('the bill of materials has Node, each library and the hash of its archive', () => {
  const bill = billOfMaterials({ ...facts, libraries: [library], lockfile }) as {
    components: Record<string, unknown>[];
    dependencies: { dependsOn: string[] }[];
    serialNumber: string;
  };
  assert.deepEqual(
    bill.components.map(({ name, version, purl }) => [name, version, purl]),
    [
      ['node', '24.0.0', 'pkg:generic/node@24.0.0'],
      ['part', '1.2.3', 'pkg:npm/%40scope/part@1.2.3'],
    ],
  );
  assert.deepEqual(bill.components[1]?.hashes, [{ alg: 'SHA-512', content: 'ab'.repeat(64) }]);
  assert.deepEqual(bill.components[1]?.licenses, [{ expression: '(MIT OR Apache-2.0)' }]);
  assert.equal(bill.dependencies[0]?.dependsOn.length, 2);
  assert.match(bill.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a library that is not what the lockfile has is no part of a release', () => {
  const other = { packages: { [library.place]: { version: '1.2.4', integrity } } };
  assert.throws(() => billOfMaterials({ ...facts, libraries: [library], lockfile: other }), /1\.2\.3 here and 1\.2\.4/);
});

test('libraries are found by the files that came from them, also below one another', () => {
  const inputs = {
    'src/main.ts': { bytesInOutput: 10 },
    'node_modules/a/lib/x.js': { bytesInOutput: 10 },
    'node_modules/a/node_modules/@s/b/x.js': { bytesInOutput: 1 },
    'node_modules/shaken/x.js': { bytesInOutput: 0 },
  };
  const output = { inputs, bytes: 1, imports: [], exports: [] };
  assert.deepEqual(placesOf([{ inputs: {}, outputs: { 'x.js': output } }]), [
    'node_modules/a',
    'node_modules/a/node_modules/@s/b',
  ]);
});

test('notices go along in full, and the license by its name where a package has no text', () => {
  const page = renderNotices([library, { ...library, name: 'bare', notices: [] }]);
  assert.match(page, /@scope\/part 1\.2\.3 \(\(MIT OR Apache-2\.0\)\)\n\nCopyright somebody\n/);
  assert.match(renderNotices([library], 'Copyright Node'), /Node, in the executables\n\nCopyright Node\n$/);
  assert.match(page, /bare 1\.2\.3 .*\n\nLicense: \(MIT OR Apache-2\.0\)\n/);
});
