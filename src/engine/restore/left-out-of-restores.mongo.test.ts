import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Document } from 'bson';
import { altered, type Change } from '../../../test/support/altered-manifest.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { readTruth, type Truth } from '../../../test/support/truth.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { LeftOut } from '../left-out.ts';
import { oplogAfter } from '../replay/slice-oplog.ts';
import { type RestoreSnapshotOptions, restoreSnapshot } from './restore-snapshot.ts';

const option = (name: string, value: unknown): { info: Change } => ({
  info: ({ options }) => {
    options[name] = value;
  },
});

function ofLaterSeries({ options }: Document): void {
  options.timeseries.fancy = 1;
}

/** What a server refuses, each for a reason of its own, with names for what is then missing. */
const impossible: Parameters<typeof altered>[1] = {
  'shop.docs': {
    indexes: (index) => {
      if (index.name === 'twice') index.unique = true;
      if (index.name === 'odd') index.key = { n: 'fancy' };
      if (index.name === 'optioned') index.fancy = 1;
    },
  },
  'shop.valid': option('fancy', 1),
  'shop.view': option('pipeline', [{ $fancy: 1 }]),
  'shop.series': { info: ofLaterSeries },
  // By which a later point tells what the time series is.
  'shop.system.buckets.series': { info: ofLaterSeries },
};

const missing = [
  'index odd of shop.docs: .*Unknown index plugin',
  'index optioned of shop.docs: built without options that the target does not know',
  'index twice of shop.docs: .*E11000',
  "option fancy of shop.valid: BSON field 'create.fancy' is an unknown field",
  "option timeseries.fancy of shop.series: BSON field '.*fancy' is an unknown field",
  'user shop.ann of admin.system.users: .*failCommand',
  'view view of shop.view: Unrecognized pipeline stage name',
];

describe('an object that the target refuses does not cost the others', () => {
  const setParameters = { ttlMonitorEnabled: false };
  const source = useReplicaSet({ name: 'source', setParameters });
  const target = useReplicaSet({ name: 'target', setParameters });
  let fixture: SnapshotFixture;
  let taken: Truth;
  let later: Truth;
  let end: Timestamp64;

  before(async () => {
    const shop = source().client.db('shop');
    const docs = Array.from({ length: 500 }, (_, i) => ({ _id: i, n: i % 400, at: new Date(i) }));
    await shop.collection<{ _id: number }>('docs').insertMany(docs);
    const names = { twice: 'n', odd: 'odd', optioned: 'm', fine: 'at' };
    const indexes = Object.entries(names).map(([name, key]) => ({ key: { [key]: 1 }, name }));
    await shop.collection('docs').createIndexes(indexes);
    await shop.createCollection('valid', { validator: { n: { $gt: 0 } }, collation: { locale: 'de' } });
    await shop.collection('valid').insertOne({ n: 1 });
    const timeseries = { timeField: 't', metaField: 'm', granularity: 'minutes' } as const;
    await shop.createCollection('series', { timeseries, expireAfterSeconds: 1_000_000 });
    await shop.collection('series').insertOne({ t: new Date(0), m: 1, v: 1 });
    await shop.createCollection('view', { viewOn: 'docs', pipeline: [{ $match: { n: 1 } }] });
    await shop.createCollection('other', { viewOn: 'docs', pipeline: [] });
    await shop.command({ createRole: 'clerk', privileges: [], roles: ['read'] });
    await shop.command({ createUser: 'ann', pwd: 'for tests only', roles: ['clerk'] });
    await shop.command({ createUser: 'ben', pwd: 'for tests only', roles: [] });
    fixture = await SnapshotFixture.create(source().uri);
    const { repository, clusterId } = fixture;
    const tailing = new Tailing(source(), { repository, clusterId });
    await tailing.begun();
    await fixture.take();
    taken = await readTruth(source().client, null);
    await shop.collection('valid').insertOne({ n: 2 });
    await shop.collection('docs').deleteMany({ n: 7 });
    end = await tailing.mark();
    later = await readTruth(source().client, null);
    await tailing.stop();
  });

  after(() => Tailing.stopAll());

  async function restore(
    changes: Parameters<typeof altered>[1],
    options: Partial<RestoreSnapshotOptions> = {},
    refusal: { command: string; namespace: string; errorCode: number } | null = null,
  ): Promise<LeftOut[]> {
    const { repository, clusterId } = fixture;
    const { snapshotId } = must(fixture.last, 'a snapshot').header;
    const manifest = altered(await fixture.manifest(snapshotId), changes);
    const admin = target().client.db('admin');
    if (refusal !== null) {
      const { command, namespace, errorCode } = refusal;
      const data = { failCommands: [command], namespace, errorCode };
      const mode = command === 'update' ? { times: 1 } : 'alwaysOn';
      await admin.command({ configureFailPoint: 'failCommand', mode, data });
    }
    try {
      const tools = { clock: systemClock, log: silentLogger, report: () => undefined };
      const asked = { repository, clusterId, snapshotId, uri: target().uri, verifyContent: true, ...tools, ...options };
      const { leftOut } = await restoreSnapshot({ signal: new AbortController().signal, ...asked }, manifest);
      assert.equal(leftOut.count, leftOut.named.length);
      return leftOut.named;
    } finally {
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    }
  }

  for (const kind of ['the snapshot', 'a later point'] as const) {
    test(`indexes, options, a view, a time series' options and a user, of ${kind}: all else is there`, async () => {
      const { header } = must(fixture.last, 'a snapshot');
      const oplog = await oplogAfter(fixture.repository, header, end, new AbortController().signal);
      const inTime =
        kind === 'the snapshot' ? {} : { pointInTime: { end: { ts: end, inclusive: true }, source: oplog } };
      const refusal = { command: 'update', namespace: 'admin.system.users', errorCode: 9 };
      const found = await restore(impossible, inTime, refusal);
      const lines = found.map((one) => `${one.kind} ${one.name} of ${one.namespace}: ${one.problem}`).sort();
      assert.equal(lines.length, missing.length, lines.join('\n'));
      for (const [index, pattern] of missing.entries()) assert.match(lines[index] ?? '', new RegExp(`^(?:${pattern})`));
      const left = compareTruth(kind === 'the snapshot' ? taken : later, await readTruth(target().client, null));
      const namespaces = new Set(left.map((line) => line.split(': ')[0]));
      assert.deepEqual([...namespaces].sort(), ['admin.system.users', 'shop.docs', 'shop.view']);
      assert.equal(left.filter((line) => line.startsWith('shop.docs')).length, 2, left.join('\n'));
      const { users } = await target().client.db('shop').command({ usersInfo: 1 });
      assert.deepEqual(
        users.map(({ user }: Document) => user),
        ['ben'],
      );
      assert.equal((await target().client.db('shop').command({ rolesInfo: 'clerk' })).roles.length, 1);
    });
  }

  test('what is not refused for the object, or leaves documents without a place, ends the restore', async () => {
    const unauthorized = { command: 'createIndexes', namespace: 'shop.docs', errorCode: 13 };
    await assert.rejects(
      restore({}, {}, unauthorized),
      /failed while loading documents and left the target incomplete/,
    );
    const none = { command: 'create', namespace: 'tidemark_preflight.tidemark_preflight', errorCode: 72 };
    await assert.rejects(restore({}, {}, none), /the target takes no .* like .*; no data of it was touched/);
    assert.deepEqual(await restore({}), []);
    assert.deepEqual(compareTruth(taken, await readTruth(target().client, null)), []);
  });
});
