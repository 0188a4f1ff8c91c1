import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createApiServer } from '../../src/api/server.ts';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { catalogAuthStores } from '../../src/auth/catalog-stores.ts';
import { type PreparedFile, prepareDownload, readDownload } from '../../src/engine/archive/download.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import { parseArchive } from '../support/archive-parser.ts';
import { inWorld } from '../support/domain-world.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { documentWith, int32Id } from '../support/raw-documents.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from '../support/test-repository.ts';

/**
 * Downloads over real connections, from the real archive writer: what HTTP promises, and what a client does that reads
 * slowly or leaves.
 */

const MIB = 1 << 20;
const BLOBS = 48;
const SNAPSHOT_ID = snapshotIdOf(1);
const SNAPSHOT = { clusterId: testClusterId, snapshotId: SNAPSHOT_ID };

class CountingStore extends MemoryStore {
  reads = 0;

  override async get(...call: Parameters<MemoryStore['get']>): Promise<Buffer> {
    this.reads++;
    return await super.get(...call);
  }
}

interface Served {
  base: string;
  link: string;
  store: CountingStore;
  /** Of the whole file. */
  bytes: number;
  finished(): Promise<boolean>;
  /** Open ones. */
  connections(): Promise<number>;
  clock: FakeClock;
}

/** About 48 MiB that compress to as much, in blobs of one MiB. */
async function writeSnapshot(repository: Repository, snapshotId: string) {
  const writer = new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId, parent: null });
  const random = new SeededRandom(5);
  const layer = writer.openLayer({ kind: 'base' });
  for (let n = 0; n < BLOBS; n++) await layer.add(documentWith(int32Id(n), random.bytes(MIB - 100)));
  const layers = [await layer.close()];
  const manifest = manifestOf(repository, snapshotId, [
    { ...collectionOf('big', layers), info: Buffer.from([5, 0, 0, 0, 0]) },
  ]);
  await writer.commit(manifest);
}

/** Made once: each link leads to it. */
let made: Promise<{ store: CountingStore; repository: Repository; files: PreparedFile[] }> | undefined;

async function makeSnapshot() {
  const store = new CountingStore(systemClock);
  const repository = await testRepository({
    store,
    chunker: { minBytes: MIB / 2, targetBytes: MIB, maxBytes: MIB * 2 },
  });
  await writeSnapshot(repository, SNAPSHOT_ID);
  const { signal } = new AbortController();
  const files = await prepareDownload({ repository, ...SNAPSHOT, signal, report: () => undefined });
  return { store, repository, files };
}

async function serving(work: (served: Served) => Promise<void>): Promise<void> {
  made ??= makeSnapshot();
  const { store, repository, files } = await made;
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const snapshotId = await world.takeWhole(cluster);
    world.ports.downloadEngine.read = (request) => readDownload({ ...request, repository, ...SNAPSHOT });
    const job = await world.domain.restoreJobs.create({ ...cluster, deliveryType: 'download', snapshotId });
    await world.run();
    world.preparation(0).succeed(files);
    await world.run();
    const get = () => world.domain.restoreJobs.get({ ...cluster, restoreJobId: job.id });
    const file = must((await get()).downloads[0], 'the download is ready');
    const { clock, context, catalog } = world;
    const server = createApiServer({
      domain: world.domain,
      authenticator: createAuthenticator({
        stores: catalogAuthStores(catalog),
        clock,
        random: new SeededRandom(3),
        secretBox: context.secretBox,
      }),
      clock,
      log: silentLogger,
      version: '0',
      timeLimits: { headersMs: 5_000, requestMs: 5_000 },
    });
    await server.listen({ host: '127.0.0.1', port: 0 });
    try {
      const base = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
      store.reads = 0;
      const connections = promisify(server.server.getConnections.bind(server.server));
      await work({
        connections,
        clock: world.clock,
        base,
        link: base + file.path,
        store,
        bytes: file.bytes,
        finished: async () => (await get()).finishedAtMs !== null,
      });
    } finally {
      await server.close();
    }
  });
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 20_000;
  while (!(await holds())) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`it never came to this: ${what}`);
    await systemClock.sleep(10);
  }
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

test('HEAD, the whole, and then nothing more', async () => {
  await serving(async ({ link, base, bytes, finished, store }) => {
    const head = await fetch(link, { method: 'HEAD' });
    assert.deepEqual(
      [head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')],
      [200, String(bytes), 'bytes'],
    );
    assert.equal(store.reads, 0, 'a look costs nothing');
    assert.match(
      head.headers.get('content-disposition') ?? '',
      /^attachment; filename="restore-[a-f0-9]{24}\.archive\.gz"$/,
    );
    assert.equal((await fetch(link, { method: 'POST', body: 'x' })).status, 405);
    const wrong = await fetch(link.replace(/.{5}(?=\/[^/]*$)/, 'AAAAA'));
    assert.deepEqual(
      [wrong.status, ((await wrong.json()) as { errorCode: string }).errorCode],
      [404, 'DOWNLOAD_NOT_FOUND'],
    );
    assert.equal((await fetch(`${base}/downloads/x/y`)).status, 404);
    const whole = await bytesOf(await fetch(link));
    const parsed = parseArchive(gunzipSync(whole));
    assert.equal(parsed.collections.get('shop.big')?.documents.length, BLOBS);
    await until('the link is used up', finished);
    const again = await fetch(link);
    assert.deepEqual([again.status, ((await again.json()) as { errorCode: string }).errorCode], [410, 'DOWNLOAD_GONE']);
    assert.equal((await fetch(link, { method: 'HEAD' })).status, 410);
  });
});

test('in pieces: what broke off is gone on with by ranges, and makes the same file', async () => {
  await serving(async ({ link, bytes, finished }) => {
    const whole = await fetch(link, { headers: { range: 'bytes=0-' } });
    assert.deepEqual([whole.status, whole.headers.get('content-range')], [206, `bytes 0-${bytes - 1}/${bytes}`]);
    const etag = whole.headers.get('etag') ?? '';
    const reader = must(whole.body, 'there is a body').getReader();
    const pieces: Uint8Array[] = [];
    for (let got = 0; got < 5 * MIB; got += pieces.at(-1)?.length ?? 0)
      pieces.push(must((await reader.read()).value, 'more'));
    await reader.cancel();
    const got = pieces.reduce((sum, piece) => sum + piece.length, 0);
    assert.equal(await finished(), false);
    const past = await fetch(link, { headers: { range: `bytes=${bytes}-` } });
    assert.deepEqual([past.status, past.headers.get('content-range')], [416, `bytes */${bytes}`]);
    const other = await fetch(link, { headers: { range: `bytes=${got}-`, 'if-range': '"another"' }, method: 'HEAD' });
    assert.equal(other.status, 200, 'another file is not gone on with');
    const rest = await fetch(link, { headers: { range: `bytes=${got}-`, 'if-range': etag } });
    assert.deepEqual([rest.status, rest.headers.get('content-length')], [206, String(bytes - got)]);
    const file = Buffer.concat([...pieces, await bytesOf(rest)]);
    assert.equal(parseArchive(gunzipSync(file)).collections.get('shop.big')?.documents.length, BLOBS);
    await until('the link is used up', finished);
  });
});

/** Sends the request and reads nothing of the answer. */
function open(link: string) {
  const asked = request(link, { agent: false });
  asked.on('error', () => undefined);
  const answered = new Promise<import('node:http').IncomingMessage>((resolve) => asked.once('response', resolve));
  asked.end();
  return { answered, close: () => asked.destroy() };
}

test('a client that does not read holds a few blobs of ours and no more, and gets the rest when it reads on', async () => {
  await serving(async ({ link, store, bytes }) => {
    const slow = open(link);
    const response = await slow.answered;
    let reads = -1;
    // As far as it goes by itself: nothing more is read in a whole while.
    for (let still = 0; still < 10; still = store.reads === reads ? still + 1 : 0) {
      reads = store.reads;
      await systemClock.sleep(50);
    }
    assert.ok(
      reads > 0 && reads < BLOBS * 0.75,
      `${reads} of ${BLOBS} blobs were read for a client that reads nothing`,
    );
    let got = 0;
    for await (const piece of response) got += (piece as Buffer).length;
    assert.equal(got, bytes);
  });
});

test('a client that takes nothing for five minutes is let go', async () => {
  await serving(async ({ link, connections, finished, clock }) => {
    const idle = open(link);
    await idle.answered;
    await until('the connection is ended', async () => {
      await clock.advance(30_000);
      return (await connections()) === 0;
    });
    assert.equal(await finished(), false);
    idle.close();
  });
});

test('two read one link at once and both get the file; whoever comes when all places are taken is told to come back', async () => {
  await serving(async ({ link, bytes }) => {
    const [one, two] = await Promise.all([fetch(link), fetch(link)]);
    assert.deepEqual([one.status, two.status], [200, 200]);
    const both = await Promise.all([bytesOf(one), bytesOf(two)]);
    assert.deepEqual(
      both.map(({ length }) => length),
      [bytes, bytes],
    );
    assert.ok(both[0]?.equals(both[1] ?? Buffer.alloc(0)));
  });
  await serving(async ({ link }) => {
    const readers = Array.from({ length: 4 }, () => open(link));
    for (const { answered } of readers) await answered;
    const fifth = await fetch(link);
    assert.deepEqual([fifth.status, fifth.headers.get('retry-after')], [429, '30']);
    for (const { close } of readers) close();
  });
});

test('a link is used once its client has the whole, not once our system has taken it', async () => {
  await serving(async ({ link, bytes, finished, connections }) => {
    const most = bytes - 64 * 1024;
    await bytesOf(await fetch(link, { headers: { range: `bytes=0-${most - 1}` } }));
    await until('the first part is written down', async () => (await connections()) === 0);
    // The rest fits into the buffers of the two systems: our side sees it go, whether it is read or not.
    const asked = request(link, { agent: false, headers: { range: `bytes=${most}-` } });
    asked.on('error', () => undefined);
    const answered = new Promise<void>((resolve) => asked.once('response', () => resolve()));
    asked.end();
    await answered;
    asked.destroy();
    await until('the connection is ended', async () => (await connections()) === 0);
    assert.equal(await finished(), false);
    const rest = await fetch(link, { headers: { range: `bytes=${most}-` } });
    assert.equal(rest.status, 206);
    assert.equal((await bytesOf(rest)).length, bytes - most);
    await until('the link is used up', finished);
  });
});
