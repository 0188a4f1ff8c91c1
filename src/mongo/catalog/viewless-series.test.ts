import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, serialize } from 'bson';
import { Fault } from '../../lib/errors.ts';
import { listedOf } from './catalog-at-time.ts';
import { readListed } from './catalog-listing.ts';

const raw = (document: Document) => Buffer.from(serialize(document));
const uuid = new Binary(Buffer.alloc(16, 7), 4);
const timeseries = { timeField: 't', metaField: 'm' };
const isRefused = (error: unknown) => error instanceof Fault && error.message.includes('d.s is a time series without');

test('a time series without a view is refused by name, however it is listed', () => {
  const info = { readOnly: false, uuid };
  for (const type of ['timeseries', 'collection'])
    assert.throws(() => readListed('d', raw({ name: 's', type, options: { timeseries }, info })), isRefused);
  const md = { ns: 'd.s', options: { uuid, timeseries }, indexes: [] };
  for (const type of ['timeseries', 'collection'])
    assert.throws(() => listedOf([raw({ db: 'd', name: 's', type, ns: 'd.s', md })]), isRefused);
});

test('one with a view, and its buckets, are listed as ever', () => {
  const view = readListed(
    'd',
    raw({ name: 's', type: 'timeseries', options: { timeseries }, info: { readOnly: false } }),
  );
  const buckets = raw({ name: 'system.buckets.s', type: 'collection', options: { timeseries }, info: { uuid } });
  assert.deepEqual([view.uuid, readListed('d', buckets).uuid], [null, '07'.repeat(16)]);
});

test('what listings of newer servers say beside is no part of what is decided by', () => {
  const info = { readOnly: false, uuid, recordIdsReplicated: true, configDebugDump: true };
  const listed = readListed('config', raw({ name: 'mine', type: 'collection', options: {}, info }));
  assert.deepEqual([listed.type, listed.capped, listed.uuid], ['collection', false, '07'.repeat(16)]);
});
