import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import { LINK_LIFE_MS } from './download-links.ts';
import type { RestoreJob } from './restore-jobs.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const FILE = Buffer.from('twenty bytes of file');
const sums = { sha1: '1'.repeat(40), sha256: '2'.repeat(64), writer: 'test', leftOut: [] };
const prepared = { replicaSetName: 'rs0', isShard: false, bytes: FILE.length, ...sums };

interface Begun {
  cluster: ClusterName;
  snapshotId: string;
  job: () => Promise<RestoreJob>;
}

/** A download that is being prepared. */
async function begin(world: DomainWorld): Promise<Begun> {
  const cluster = await world.withCluster();
  world.startWorker();
  const snapshotId = await world.takeWhole(cluster);
  world.readFile = async function* () {
    for (let at = 0; at < FILE.length; at += 6) yield FILE.subarray(at, at + 6);
  };
  const { id } = await world.domain.restoreJobs.create({ ...cluster, deliveryType: 'download', snapshotId });
  await world.run();
  return { cluster, snapshotId, job: () => world.domain.restoreJobs.get({ ...cluster, restoreJobId: id }) };
}

async function ready(world: DomainWorld): Promise<Begun> {
  const begun = await begin(world);
  world.preparation(0).succeed([prepared]);
  await world.run();
  return begun;
}

function partsOf(job: RestoreJob): { token: string; fileName: string } {
  const [, , token = '', fileName = ''] = must(job.downloads[0]?.path, 'the job has a link').split('/');
  return { token, fileName };
}

async function read(world: DomainWorld, job: RestoreJob, from: number, to: number, arrives = true): Promise<string> {
  const opened = await world.domain.downloads.open(partsOf(job));
  const { bytes, end } = await opened.stream({ from, to, stop: new AbortController() });
  const text = Buffer.concat(await collect(bytes)).toString();
  await end(arrives);
  return text;
}

test('a link appears once the download was prepared, with an hour to live, and goes once it was used', async () => {
  await inWorld({}, async (world) => {
    const { job, snapshotId } = await begin(world);
    assert.deepEqual([(await job()).state, (await job()).downloads], ['inProgress', []]);
    world.preparation(0).succeed([prepared]);
    await world.run();
    const link = await job();
    assert.deepEqual([link.state, link.finishedAtMs, link.failureReason], ['completed', null, null]);
    assert.ok(Math.abs((link.expiresAtMs ?? 0) - world.clock.nowMs() - LINK_LIFE_MS) < 2_000);
    assert.match(
      link.downloads[0]?.path ?? '',
      new RegExp(`^/downloads/[a-f0-9]{24}[\\w-]{43}/restore-${snapshotId}\\.archive\\.gz$`),
    );
    assert.equal(await read(world, link, 0, FILE.length), FILE.toString());
    await world.run();
    const used = await job();
    assert.deepEqual([used.state, used.downloads[0]?.path], ['completed', null]);
    assert.ok(used.finishedAtMs !== null);
    await assert.rejects(world.domain.downloads.open(partsOf(link)), refused('DOWNLOAD_GONE'));
    assert.equal((await world.domain.tasks.get(must(used.taskId, 'a task'))).state, 'succeeded');
  });
});

test('nobody gets in without the token, nor with a part of it, nor under another file name', async () => {
  await inWorld({}, async (world) => {
    const { job } = await ready(world);
    const { token, fileName } = partsOf(await job());
    const { open } = world.domain.downloads;
    const changed = token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1);
    const wrong = [
      { token: changed, fileName },
      { token: token.slice(0, 24), fileName },
      { token: 'f'.repeat(24) + token.slice(24), fileName },
      { token: '', fileName },
      { token, fileName: 'another' },
    ];
    for (const request of wrong) await assert.rejects(open(request), refused('DOWNLOAD_NOT_FOUND'), request.token);
    assert.equal((await open({ token, fileName })).bytes, FILE.length);
  });
});

test('what broke off can be gone on with for an hour, and only what was served to its last byte uses the link up', async () => {
  await inWorld({}, async (world) => {
    const { job } = await ready(world);
    const link = await job();
    await world.clock.leap(LINK_LIFE_MS - 60_000);
    assert.equal(await read(world, link, 0, 9, false), FILE.toString().slice(0, 9));
    const later = await job();
    assert.ok((later.expiresAtMs ?? 0) > (link.expiresAtMs ?? 0), 'the hour begins anew');
    await world.clock.leap(LINK_LIFE_MS - 60_000);
    // Whole to our eyes, but the connection broke before its end: this may be asked for again.
    assert.equal(await read(world, await job(), 0, FILE.length, false), FILE.toString());
    assert.ok((await job()).downloads[0]?.path !== null);
    // The end alone is not the whole.
    await read(world, await job(), 15, FILE.length);
    assert.equal((await job()).finishedAtMs === null, false, 'everything before it had been served');
  });
});

test('a part that leaves a hole does not use the link up, and reading the same part again does not make it live on', async () => {
  await inWorld({}, async (world) => {
    const { job } = await ready(world);
    await read(world, await job(), 10, FILE.length);
    await read(world, await job(), 0, 5);
    const { expiresAtMs } = await job();
    await world.clock.leap(600_000);
    for (let n = 0; n < 3; n++) await read(world, await job(), 0, 5);
    assert.deepEqual([(await job()).expiresAtMs, (await job()).finishedAtMs], [expiresAtMs, null]);
    await world.clock.leap(LINK_LIFE_MS);
    const over = await job();
    assert.deepEqual([over.state, over.downloads[0]?.path], ['expired', null]);
  });
});

test('a link that nobody uses expires, and until then the snapshot stays although it was deleted', async () => {
  await inWorld({}, async (world) => {
    const { job, cluster, snapshotId } = await ready(world);
    const link = await job();
    await world.domain.snapshots.delete({ ...cluster, snapshotId });
    await world.clock.leap(LINK_LIFE_MS - 60_000);
    assert.ok(world.manifests.facts.has(snapshotId));
    await world.clock.leap(120_000);
    await world.clock.advance(10_000);
    assert.ok(!world.manifests.facts.has(snapshotId));
    assert.equal((await job()).state, 'expired');
    await assert.rejects(world.domain.downloads.open(partsOf(link)), refused('DOWNLOAD_GONE'));
  });
});

test('a cancelled download, in preparation or with a link, is over at once', async () => {
  await inWorld({}, async (world) => {
    const { job, cluster, snapshotId } = await begin(world);
    const { cancel, create } = world.domain.restoreJobs;
    await cancel({ ...cluster, restoreJobId: (await job()).id });
    assert.equal((await job()).state, 'cancelled', 'before its worker has heard of it');
    await world.run();
    assert.equal((await job()).state, 'cancelled');
    const second = await create({ ...cluster, deliveryType: 'download', snapshotId });
    await world.run();
    world.preparation(1).succeed([prepared]);
    await world.run();
    const link = await world.domain.restoreJobs.get({ ...cluster, restoreJobId: second.id });
    await cancel({ ...cluster, restoreJobId: second.id });
    assert.equal((await world.domain.restoreJobs.get({ ...cluster, restoreJobId: second.id })).state, 'cancelled');
    await assert.rejects(world.domain.downloads.open(partsOf(link)), refused('DOWNLOAD_GONE'));
    await cancel({ ...cluster, restoreJobId: second.id });
  });
});

test('a snapshot that cannot be read to its end fails the job; there is never a link', async () => {
  await inWorld({}, async (world) => {
    const { job } = await begin(world);
    world.preparation(0).fail(new Fault({ op: 'read blob', subject: 'x', message: 'a blob is missing' }));
    await world.run();
    assert.deepEqual([(await job()).state, (await job()).failureReason], ['failed', 'a blob is missing']);
  });
});

test('one download of a snapshot at a time, ten of a project', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await ready(world);
    const { create } = world.domain.restoreJobs;
    const download = { ...cluster, deliveryType: 'download' as const };
    await assert.rejects(create({ ...download, snapshotId }), refused('CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY'));
    await assert.rejects(create(download), refused('MISSING_ATTRIBUTE'));
    await assert.rejects(create({ ...download, snapshotId: '0'.repeat(24) }), refused('SNAPSHOT_NOT_FOUND'));
    const others: string[] = [];
    for (let n = 0; n < 10; n++) others.push(await world.takeWhole(cluster));
    const last = must(others.pop(), 'ten were taken');
    for (const other of others) await create({ ...download, snapshotId: other });
    await assert.rejects(create({ ...download, snapshotId: last }), refused('TOO_MANY_SNAPSHOT_DOWNLOADS'));
  });
});

test('a download of a point goes from the newest snapshot that leads there, and beside one of the snapshot itself', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await begin(world);
    const row = must(await findSnapshot(world.catalog.reader, snapshotId), 'it was taken');
    const t = must(row.clusterTimeT, 'it is complete');
    const { create, get } = world.domain.restoreJobs;
    const point = { ...cluster, deliveryType: 'download' as const, oplogTs: t + 2, oplogInc: 5 };
    await world.clock.leap(10_000);
    await assert.rejects(create(point), refused('INVALID_PIT_RESTORE_TIME'), 'nothing is captured');
    const { oplogInc: _, ...half } = point;
    await assert.rejects(create(half), refused('INVALID_PIT_RESTORE_TIME'));
    const second = (seconds: number) => BigInt(seconds) << 32n;
    world.coverage = { runs: [{ first: second(t - 10), last: second(t + 3) }], gaps: [], storedBytes: 1 };
    const { id } = await create(point);
    await assert.rejects(create(point), refused('CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY'));
    await create({ ...cluster, deliveryType: 'download', snapshotId, pointInTimeUtcSeconds: t + 2 });
    await world.run();
    const asked = { ts: second(t + 2) + 5n, inclusive: true };
    assert.deepEqual(
      [world.preparation(1).request.snapshotId, world.preparation(1).request.point],
      [snapshotId, asked],
    );
    world.preparation(1).succeed([prepared]);
    await world.run();
    const job = await get({ ...cluster, restoreJobId: id });
    assert.deepEqual([job.oplogTs, job.oplogInc, job.pointInTimeUtcSeconds], [t + 2, 5, null]);
    assert.equal(job.downloads[0]?.fileName, `restore-${snapshotId}-to-${t + 2}-5.archive.gz`);
    const read: unknown[] = [];
    world.readFile = async function* (request) {
      read.push(request.point);
      yield FILE;
    };
    const { stream } = await world.domain.downloads.open(partsOf(job));
    const { bytes, end } = await stream({ from: 0, to: FILE.length, stop: new AbortController() });
    await collect(bytes);
    await end(true);
    assert.deepEqual(read, [asked]);
    assert.deepEqual(world.preparation(2).request.point, { ts: second(t + 2), inclusive: false });
  });
});

test('several read one file at once; past their number one that takes nothing gives way, and else the next is refused', async () => {
  await inWorld({}, async (world) => {
    const { job } = await ready(world);
    const opened = await world.domain.downloads.open(partsOf(await job()));
    const whole = { from: 0, to: FILE.length };
    const readers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const stop = new AbortController();
        return { stop, ...(await opened.stream({ ...whole, stop })) };
      }),
    );
    const [first, second] = readers.map(({ bytes }) => bytes[Symbol.asyncIterator]());
    await first?.next();
    await assert.rejects(
      opened.stream({ ...whole, stop: new AbortController() }),
      refused('TOO_MANY_DOWNLOADS_AT_ONCE'),
    );
    await world.clock.leap(10_000);
    await second?.next();
    const last = await opened.stream({ ...whole, stop: new AbortController() });
    assert.deepEqual(
      readers.map(({ stop }) => stop.signal.aborted),
      [true, false, false, false],
      'who was not answered yet is not broken off either',
    );
    assert.equal(Buffer.concat(await collect(last.bytes)).toString(), FILE.toString());
    for (const { end } of [...readers, last]) await end(false);
    assert.equal((await job()).downloads[0]?.path === null, false);
  });
});

test('bytes that are not those prepared are no download', async () => {
  await inWorld({}, async (world) => {
    const { job } = await ready(world);
    const opened = await world.domain.downloads.open(partsOf(await job()));
    world.readFile = async function* () {
      yield FILE.subarray(0, 12);
    };
    const cut = await opened.stream({ from: 0, to: FILE.length, stop: new AbortController() });
    await assert.rejects(collect(cut.bytes), /has 12 bytes, but 20 when it was prepared/);
    await cut.end(false);
  });
});
