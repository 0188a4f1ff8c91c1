import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import { readStored, storedManifest } from '../../../test/support/stored-manifest.ts';
import { Bug } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { BlobRef } from './blob-list.ts';
import type { CollectionEntry, LayerRef, Manifest } from './manifest.ts';
import { assembleManifest, decodeManifest, orderedCollections } from './manifest-json.ts';
import { compareNamespaces } from './manifest-rules.ts';
import { encodeSealedLines } from './sealed-lines.ts';

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });
const id = hex(24);
const count = fc.nat();
const raw = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const time = fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
const listRef = fc.record({
  id: hex(64),
  snapshotId: id,
  kind: fc.constant(2 as const),
  plainBytes: count,
  storedBytes: count,
});
const lists = fc.array(listRef, { minLength: 1, maxLength: 2 });

function layer(kind: 'base' | 'delta'): fc.Arbitrary<LayerRef> {
  return fc
    .record({
      takenIn: id,
      documents: count,
      deleted: kind === 'base' ? fc.constant(0) : count,
      bytes: count,
      storedBytes: count,
      documentLists: lists,
      deletedLists: lists,
      single: fc.record({ id: hex(64), snapshotId: id, storedBytes: count }),
      extent: fc.record({
        blob: fc.record({
          id: hex(64),
          snapshotId: id,
          kind: fc.constant(8 as const),
          storedBytes: count,
          documents: count,
        }),
        at: fc.nat({ max: 1000 }),
        plainBytes: fc.integer({ min: 1, max: 1000 }),
      }),
    })
    .map(({ single, extent, ...fields }): LayerRef => {
      const { documents, deleted, bytes, documentLists, deletedLists } = fields;
      // Documents as a single blob, deletions as an extent of a shared one, or both in lists.
      const documentBlob: BlobRef = { ...single, kind: 1, plainBytes: bytes, documents };
      const { blob, at, plainBytes } = extent;
      const within = { blob: { ...blob, plainBytes: at + plainBytes }, at };
      const { id: extentId } = single;
      const { snapshotId } = blob;
      const deletedBlob: BlobRef = {
        id: extentId,
        snapshotId,
        kind: 5,
        plainBytes,
        storedBytes: 0,
        documents: deleted,
        within,
      };
      const inLists = documentLists.length === 1;
      return {
        kind,
        ordered: false,
        ...fields,
        documentLists: documents > 0 && inLists ? documentLists : [],
        deletedLists: deleted > 0 && inLists ? deletedLists : [],
        ...(documents > 0 && !inLists ? { documentBlob } : {}),
        ...(deleted > 0 && !inLists ? { deletedBlob } : {}),
      };
    });
}

const layers = fc
  .tuple(fc.array(layer('delta'), { maxLength: 2 }), fc.array(layer('base'), { maxLength: 1 }))
  .map((parts) => parts.flat());
const name = fc.string({
  unit: fc.oneof(fc.constantFrom('a', 'é', '￿', '😀', '"', '\\', '\n', '.'), fc.string({ minLength: 1, maxLength: 1 })),
  minLength: 1,
  maxLength: 5,
});
const collection = fc
  .record({
    db: name,
    name,
    uuid: hex(32),
    info: raw,
    indexes: fc.array(raw, { maxLength: 3 }),
    documents: count,
    bytes: count,
    layers,
    plain: fc.boolean(),
  })
  .map(({ plain, ...fields }): CollectionEntry => {
    return plain ? { type: 'collection', ...fields } : { ...fields, type: 'view', uuid: null, layers: [] };
  });
const manifests = fc
  .record({
    header: fc.record({
      repositoryId: id,
      clusterId: id,
      clusterName: fc.string(),
      projectId: id,
      snapshotId: id,
      parentSnapshotId: fc.option(id),
      type: fc.constant('replicaSet' as const),
      replicaSetName: fc.string({ unit: codePoint }),
      replicaSetId: fc.option(fc.string()),
      clusterTime: fc.record({ t: count, i: count, term: count }),
      takenAt: time,
      finishedAt: time,
      mongodVersion: fc.string(),
      featureCompatibilityVersion: fc.string(),
      writtenPlainBytes: count,
      writtenStoredBytes: count,
      retention: fc.record({
        description: fc.option(fc.string()),
        snapshotType: fc.string(),
        frequencyType: fc.string(),
        expiresAt: fc.option(time),
        policyItems: fc.array(id),
      }),
    }),
    collections: fc.uniqueArray(collection, {
      maxLength: 5,
      selector: (entry) => JSON.stringify([entry.db, entry.name]),
    }),
  })
  .map(({ header, collections }): Manifest => {
    const documents = collections.reduce((sum, entry) => sum + entry.documents, 0);
    const bytes = collections.reduce((sum, entry) => sum + entry.bytes, 0);
    return { header: { ...header, collections: collections.length, documents, bytes }, collections };
  });

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a manifest comes back as it was, its collections in order', () => {
  fc.assert(
    fc.property(manifests, (manifest) => {
      const decoded = readStored(storedManifest(manifest), 'a manifest');
      assert.deepEqual(plain(decoded.header), plain(manifest.header));
      const inOrder = (entries: CollectionEntry[]): unknown => plain(entries.toSorted(compareNamespaces));
      assert.deepEqual(inOrder(decoded.collections), inOrder(manifest.collections));
      for (const [index, entry] of decoded.collections.entries()) {
        const next = decoded.collections[index + 1];
        if (next === undefined) break;
        const order =
          Buffer.compare(Buffer.from(entry.db), Buffer.from(next.db)) ||
          Buffer.compare(Buffer.from(entry.name), Buffer.from(next.name));
        assert.ok(order < 0, 'UTF-8 byte order');
      }
    }),
  );
});

function sample(collections: CollectionEntry[] = []): Manifest {
  const at = '2026-11-22T10:20:30.456Z';
  return {
    header: {
      repositoryId: 'a'.repeat(24),
      clusterId: 'b'.repeat(24),
      clusterName: 'Cluster0',
      projectId: 'c'.repeat(24),
      snapshotId: 'd'.repeat(24),
      parentSnapshotId: null,
      type: 'replicaSet',
      replicaSetName: 'rs0',
      replicaSetId: null,
      clusterTime: { t: 5, i: 1, term: 2 },
      takenAt: at,
      finishedAt: at,
      mongodVersion: '6.0.5',
      featureCompatibilityVersion: '6.0',
      collections: collections.length,
      documents: collections.reduce((sum, entry) => sum + entry.documents, 0),
      bytes: collections.reduce((sum, entry) => sum + entry.bytes, 0),
      writtenPlainBytes: 0,
      writtenStoredBytes: 0,
      retention: {
        description: null,
        snapshotType: 'onDemand',
        frequencyType: 'ondemand',
        expiresAt: null,
        policyItems: [],
      },
    },
    collections,
  };
}

function entryOf(layersOfIt: LayerRef[]): CollectionEntry {
  return {
    db: 'shop',
    name: 'orders',
    type: 'collection',
    uuid: 'e'.repeat(32),
    info: Buffer.from('i'),
    indexes: [],
    documents: 1,
    bytes: 1,
    layers: layersOfIt,
  };
}

const ref: BlobRef = { id: 'f'.repeat(64), snapshotId: 'd'.repeat(24), kind: 2, plainBytes: 60, storedBytes: 76 };
const base: LayerRef = {
  kind: 'base',
  takenIn: 'd'.repeat(24),
  documents: 1,
  deleted: 0,
  bytes: 10,
  storedBytes: 26,
  ordered: false,
  documentLists: [ref],
  deletedLists: [],
};
const deletions: LayerRef = {
  ...base,
  kind: 'delta',
  documents: 0,
  deleted: 1,
  documentLists: [],
  deletedLists: [ref],
};

test('no truncation and no flipped bit of the manifest passes', () => {
  const stored = storedManifest(sample([entryOf([deletions, base])]));
  const whole = stored.payload;
  const readBack = (payload: Buffer) => readStored({ ...stored, payload }, 'x');
  assert.equal(readBack(whole).collections.length, 1);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readBack(whole.subarray(0, length)), Damage, `cut to ${length}`);
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.throws(() => readBack(flipped), Damage, `bit ${bit}`);
  }
});

test('a manifest that contradicts itself is neither written nor read', () => {
  const header = { ...sample().header, collections: 2 };
  assert.throws(() => orderedCollections({ header, collections: [] }), Bug);
  const payload = encodeSealedLines([{ kind: 'header', version: 1, ...header }]);
  assert.throws(() => assembleManifest(decodeManifest(payload, 'x'), [], 'x'), /counts 2 collections/);
});

test('layers that cannot be merged are refused', () => {
  const ordered = { ...base, ordered: true };
  const delta: LayerRef = { ...base, kind: 'delta' };
  const blob: BlobRef = { ...ref, kind: 1, plainBytes: base.bytes, documents: base.documents };
  const single: LayerRef = { ...base, documentLists: [], documentBlob: blob };
  orderedCollections(sample([entryOf([deletions, ordered])]));
  orderedCollections(sample([entryOf([delta, deletions, base])]));
  orderedCollections(sample([entryOf([delta, single])]));
  for (const [wrong, layersOfIt] of [
    ['a base above', [base, base]],
    ['documents above an ordered base', [delta, ordered]],
    ['an ordered delta', [{ ...delta, ordered: true }]],
    ['documents without lists', [{ ...base, documentLists: [] }]],
    ['lists without deletions', [{ ...deletions, deleted: 0 }]],
    ['a blob beside lists', [{ ...single, documentLists: [ref] }]],
    ['a blob without documents', [{ ...single, documents: 0 }]],
    ['a blob of another count', [{ ...single, documents: 2 }]],
    ['a blob of another size', [{ ...single, bytes: 11 }]],
  ] as [string, LayerRef[]][]) {
    assert.throws(() => orderedCollections(sample([entryOf(layersOfIt)])), Bug, wrong);
  }
});

test('a manifest of version 1 is read as it was written', () => {
  const { header } = sample([entryOf([deletions, base])]);
  const line = {
    ...{ kind: 'collection', db: 'shop', name: 'orders', type: 'collection', uuid: 'e'.repeat(32) },
    ...{ info: 'aQ==', indexes: [], documents: 1, bytes: 1, layers: [deletions, base] },
  };
  const payload = encodeSealedLines([{ kind: 'header', ...header, version: 1 }, line]);
  const read = assembleManifest(decodeManifest(payload, 'x'), [], 'x');
  assert.deepEqual(plain(read), plain(sample([entryOf([deletions, base])])));
  assert.equal(read.sections, undefined);
});

test('a newer version is refused rather than half understood', () => {
  const payload = encodeSealedLines([{ kind: 'header', ...sample().header, version: 3 }]);
  assert.throws(() => decodeManifest(payload, 'x'), /version is neither 1 nor 2/);
});
