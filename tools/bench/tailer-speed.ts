import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Timestamp } from 'mongodb';
import { type Timestamp64, timestampOf } from '../../src/bson/timestamp.ts';
import { sliceOplog } from '../../src/engine/replay/slice-oplog.ts';
import { restoreSnapshot } from '../../src/engine/restore/restore-snapshot.ts';
import { tailOplog } from '../../src/engine/tail/tail-oplog.ts';
import { takeSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Cancelled } from '../../src/lib/errors.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { DirectoryStore } from '../../src/storage/directory.ts';
import { type ReplicaSet, until, withReplicaSet } from '../../test/support/replica-set.ts';

const WRITER = fileURLToPath(new URL('./steady-writer.ts', import.meta.url));
const ids = createIdSource(systemClock, systemRandom);
const LOOK_EVERY_MS = 500;

export interface TailerFigures {
  wantedPerSecond: number;
  writtenPerSecond: number;
  /** Entries of the oplog that the writes made. */
  entriesPerSecond: number;
  lagSecondsMax: number;
  lagSecondsMean: number;
  /** Of one core, of the process in which the tailer alone works. */
  cpuShare: number;
  rssBytes: number;
  slices: number;
  storedBytes: number;
  replayedEntries: number;
  replayedPerSecond: number;
  /** From the request to the target being whole: the snapshot's load and every check included. */
  restoreMs: number;
}

/** A tailer under steady writes, and then a restore to the last moment of what it captured. */
export async function measureTailer(
  directory: string,
  load: { perSecond: number; seconds: number },
): Promise<TailerFigures> {
  await mkdir(join(directory, 'tailed'));
  const store = await DirectoryStore.open(join(directory, 'tailed'));
  const repository = await createRepository({ store, clock: systemClock, random: systemRandom }, {});
  return await withReplicaSet({ name: 'source', cacheGb: 1 }, async (source) => {
    const clusterId = ids.next();
    const tail = new MeasuredTail(source, repository, clusterId);
    await tail.upTo(await mark(source));
    const snapshotId = await snapshot(source, repository, clusterId);
    const captured = await tail.during(async () => await steadyWrites(source.uri, load));
    const point = await mark(source);
    await tail.upTo(point);
    await tail.stop();
    const restored = await restoreTo(repository, { clusterId, snapshotId }, point);
    const { written, ms } = captured.result;
    const { result: _, ...tailed } = captured;
    return {
      wantedPerSecond: load.perSecond,
      writtenPerSecond: (written / ms) * 1000,
      ...tailed,
      entriesPerSecond: (restored.entries / ms) * 1000,
      replayedEntries: restored.entries,
      replayedPerSecond: (restored.entries / restored.replayMs) * 1000,
      restoreMs: restored.ms,
    };
  });
}

class MeasuredTail {
  readonly #controller = new AbortController();
  readonly #ended: Promise<unknown>;
  #captured: Timestamp64 = 0n;
  #slices = 0;
  #storedBytes = 0;
  readonly #source: ReplicaSet;

  constructor(source: ReplicaSet, repository: Repository, clusterId: string) {
    this.#source = source;
    this.#ended = tailOplog({
      uri: source.uri,
      repository,
      clusterId,
      clock: systemClock,
      log: silentLogger,
      signal: this.#controller.signal,
      onProgress: ({ captured, slices, storedBytes }) => {
        this.#captured = captured?.ts ?? 0n;
        this.#slices = slices;
        this.#storedBytes = storedBytes;
      },
    });
    this.#ended.catch(() => undefined);
  }

  async upTo(ts: Timestamp64): Promise<void> {
    await until('it is captured', async () => (this.#captured >= ts ? true : null));
  }

  /** Lag is looked at from outside: the newest entry of the source against the last one that is stored. */
  async during<T>(work: () => Promise<T>) {
    const before = {
      cpu: process.cpuUsage(),
      ms: systemClock.monotonicMs(),
      slices: this.#slices,
      stored: this.#storedBytes,
    };
    const lags: number[] = [];
    let rssBytes = 0;
    let working = true;
    const looking = (async () => {
      while (working) {
        await systemClock.sleep(LOOK_EVERY_MS);
        const hello = await this.#source.client.db('admin').command({ hello: 1 });
        const newest = timestampOf(hello.lastWrite.majorityOpTime.ts as Timestamp);
        lags.push(Math.max(0, Number((newest >> 32n) - (this.#captured >> 32n))));
        rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
      }
    })();
    const result = await work();
    working = false;
    await looking;
    const { user, system } = process.cpuUsage(before.cpu);
    return {
      result,
      lagSecondsMax: Math.max(...lags),
      lagSecondsMean: lags.reduce((sum, lag) => sum + lag, 0) / lags.length,
      cpuShare: (user + system) / 1000 / (systemClock.monotonicMs() - before.ms),
      rssBytes,
      slices: this.#slices - before.slices,
      storedBytes: this.#storedBytes - before.stored,
    };
  }

  async stop(): Promise<void> {
    this.#controller.abort(new Cancelled());
    await this.#ended.catch(() => undefined);
  }
}

async function steadyWrites(uri: string, load: { perSecond: number; seconds: number }) {
  const args = ['--disable-warning=ExperimentalWarning', WRITER, uri, String(load.perSecond), String(load.seconds)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString('utf8');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the writer ended with ${code}`);
  return JSON.parse(text) as { written: number; ms: number };
}

async function mark(source: ReplicaSet): Promise<Timestamp64> {
  const command = { appendOplogNote: 1, data: { mark: 1 }, writeConcern: { w: 'majority' } };
  const { operationTime } = await source.client.db('admin').command(command);
  return timestampOf(operationTime as Timestamp);
}

async function snapshot(source: ReplicaSet, repository: Repository, clusterId: string): Promise<string> {
  const snapshotId = ids.next();
  await takeSnapshot({
    uri: source.uri,
    repository,
    clusterId,
    clusterName: 'bench',
    projectId: ids.next(),
    snapshotId,
    parent: null,
    retention: {
      description: null,
      snapshotType: 'onDemand',
      frequencyType: 'ondemand',
      expiresAt: null,
      policyItems: [],
    },
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    signal: new AbortController().signal,
    report: () => undefined,
  });
  return snapshotId;
}

async function restoreTo(
  repository: Repository,
  named: { clusterId: string; snapshotId: string },
  point: Timestamp64,
): Promise<{ entries: number; replayMs: number; ms: number }> {
  return await withReplicaSet({ name: 'target', cacheGb: 1 }, async (target) => {
    const { signal } = new AbortController();
    const startedMs = systemClock.monotonicMs();
    const manifest = await readManifest(repository, named);
    const { header } = manifest;
    const from = { ts: timestampOf(header.clusterTime), term: BigInt(header.clusterTime.term) };
    const slices = { clusterId: named.clusterId, replicaSetName: header.replicaSetName };
    const source = await sliceOplog(repository, slices, { from, end: point }, signal);
    const restored = await restoreSnapshot(
      {
        repository,
        ...named,
        uri: target.uri,
        verifyContent: true,
        pointInTime: { end: { ts: point, inclusive: true }, source },
        clock: systemClock,
        log: silentLogger,
        signal,
        report: () => undefined,
      },
      manifest,
    );
    const replayed = must(restored.replayed, 'something was replayed');
    return { entries: replayed.entries, replayMs: replayed.ms, ms: systemClock.monotonicMs() - startedMs };
  });
}
