import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { parseArchive } from '../../../test/support/archive-parser.ts';
import { collect } from '../../../test/support/collect.ts';
import { applyChanges, histories, writeChanges } from '../../../test/support/layer-history.ts';
import { documentsIn } from '../../../test/support/raw-documents.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import type { CollectionEntry, LayerRef } from '../../repository/format/manifest.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import { readExtendedJson } from '../export/read-extended-json.ts';
import { gzipMembers, MEMBER_BYTES } from './gzip-members.ts';
import { requireArchivable } from './require-archivable.ts';
import { writeArchive } from './write-archive.ts';

const { signal } = new AbortController();
const infoOf = (name: string, type: string, options: object) => Buffer.from(BSON.serialize({ name, type, options }));
const entryOf = (name: string, type: CollectionEntry['type'], options: object): CollectionEntry => ({
  ...collectionOf(name, []),
  type,
  uuid: type === 'collection' ? 'ab'.repeat(16) : null,
  info: infoOf(name, type, options),
});

test('whatever the layers, the archive holds each document once, and its bytes are the same every time', async () => {
  const repository = await testRepository();
  await fc.assert(
    fc.asyncProperty(histories, histories, async (...both) => {
      const writer = new SnapshotWriter(repository, {
        clusterId: testClusterId,
        snapshotId: snapshotIdOf(1),
        parent: null,
      });
      const models = both.map(() => new Map<string, string>());
      const entries: CollectionEntry[] = [];
      for (const [index, history] of both.entries()) {
        const layers: LayerRef[] = [];
        for (const changes of history) {
          layers.unshift(await writeChanges(writer, changes, 'delta'));
          applyChanges(models[index] as Map<string, string>, changes);
        }
        entries.push({ ...collectionOf(`c${index}`, layers), info: infoOf(`c${index}`, 'collection', {}) });
      }
      const manifest = manifestOf(repository, snapshotIdOf(1), entries);
      const bytes = Buffer.concat(await collect(writeArchive({ repository, manifest, signal })));
      const parsed = parseArchive(bytes);
      for (const [index, model] of models.entries()) {
        const documents = Buffer.concat(parsed.collections.get(`shop.c${index}`)?.documents ?? []);
        assert.deepEqual(new Map(documentsIn(documents)), model);
      }
      assert.ok(bytes.equals(Buffer.concat(await collect(writeArchive({ repository, manifest, signal })))));
    }),
    { numRuns: 60 },
  );
});

test('views, time series, users and strays: what is listed, as what, and in which order', async () => {
  const repository = await testRepository();
  const series = { timeField: 't', metaField: 'm' };
  const manifest = manifestOf(repository, snapshotIdOf(1), [
    { ...entryOf('system.roles', 'collection', {}), db: 'admin' },
    { ...entryOf('system.users', 'collection', {}), db: 'admin' },
    { ...entryOf('system.version', 'collection', {}), db: 'admin' },
    { ...entryOf('settings', 'collection', {}), db: 'config' },
    entryOf('a view', 'view', { viewOn: 'b view', pipeline: [] }),
    entryOf('b view', 'view', { viewOn: 'orders', pipeline: [{ $match: { b: 1, a: 1 } }] }),
    entryOf('orders', 'collection', {}),
    entryOf('series', 'timeseries', { timeseries: series }),
    entryOf('system.buckets.orders', 'collection', {}),
    entryOf('system.buckets.series', 'collection', { timeseries: series }),
    entryOf('temporary', 'collection', { temp: true }),
  ]);
  const parsed = parseArchive(Buffer.concat(await collect(writeArchive({ repository, manifest, signal }))));
  assert.deepEqual(
    [...parsed.collections].map(([namespace, { type }]) => `${namespace} ${type}`),
    [
      'admin.system.version collection',
      'admin.system.users collection',
      'admin.system.roles collection',
      'shop.orders collection',
      'shop.series timeseries',
      'shop.b view view',
      'shop.a view view',
    ],
  );
  assert.equal(
    parsed.collections.get('shop.b view')?.metadata,
    '{"indexes":[],"collectionName":"b view","options":{"viewOn":"orders","pipeline":[{"$match":{"b":{"$numberInt":"1"},"a":{"$numberInt":"1"}}}]}}',
  );
  assert.deepEqual(parsed.header, {
    concurrentCollections: 1,
    serverVersion: '6.0.5',
    toolVersion: 'tidemark archive 5',
  });
});

test('gzip members do not depend on how the source was cut, and read as one', async () => {
  const bytes = Buffer.alloc(MEMBER_BYTES * 3 + 12345, 'some text that compresses well ');
  const cutInto = async function* (size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const [whole, cut] = await Promise.all(
    [bytes.length, 777_777].map(async (size) => Buffer.concat(await collect(gzipMembers(cutInto(size))))),
  );
  assert.ok(whole?.equals(cut as Buffer));
  assert.ok(gunzipSync(whole as Buffer).equals(bytes));
  assert.deepEqual(await collect(gzipMembers(cutInto(bytes.length))).then((members) => members.length), 4);
});

test('gzip reads no further ahead than what it works on, and ends the source when its reader leaves', async () => {
  let [read, ended] = [0, false];
  const source = async function* () {
    try {
      for (;;) {
        read++;
        yield Buffer.alloc(MEMBER_BYTES);
      }
    } finally {
      ended = true;
    }
  };
  for await (const _member of gzipMembers(source())) if (read > 0) break;
  assert.ok(read <= 4, `${read} members were read for one`);
  assert.equal(ended, true);
});

test('what Extended JSON has no text for is no part of an archive, and is told before there is one', async () => {
  const repository = await testRepository();
  const misread = { $literal: { $oid: 'no hex' } };
  const manifest = manifestOf(repository, snapshotIdOf(1), [
    entryOf('bad view', 'view', { viewOn: 'orders', pipeline: [{ $addFields: { x: misread } }] }),
    entryOf('good view', 'view', { viewOn: 'bad view', pipeline: [] }),
    entryOf('orders', 'collection', { validator: { $expr: misread } }),
  ]);
  const parsed = parseArchive(Buffer.concat(await collect(writeArchive({ repository, manifest, signal }))));
  assert.deepEqual([...parsed.collections.keys()], ['shop.orders', 'shop.good view']);
  for (const { metadata } of parsed.collections.values()) readExtendedJson(metadata.replace(/"uuid":"\w+",/, ''));
  assert.deepEqual(
    (await requireArchivable({ manifest, point: undefined, signal })).map(({ kind, name }) => [kind, name]),
    [
      ['option', 'validator'],
      ['view', 'bad view'],
    ],
  );
  await assert.rejects(
    requireArchivable({ manifest, point: undefined, signal, jsonLoss: 'fail' }),
    /option validator of shop\.orders .*view shop\.bad view/,
  );
});
