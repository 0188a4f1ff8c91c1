import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, settled } from '../../test/support/fake-clock.ts';
import { openMemoryCatalog } from '../../test/support/memory-catalog.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { TaskRow } from '../catalog/schema.ts';
import { readSetting, writeSetting } from '../catalog/settings.ts';
import { findTask } from '../catalog/tasks.ts';
import { Bug, must } from '../lib/assert.ts';
import { CancelledHalfway, Fault } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { LeaseLost, type TaskEnd, type TaskHandler, type TaskHandlers, type TaskWork } from './handler.ts';
import { claimTask, clusterKey, enqueueTask, recoverTasks, requestCancel } from './queue.ts';
import { Worker } from './worker.ts';

const LEASE_MS = 30_000;
const done: TaskEnd = { done: async () => undefined };
const random = { bytes: (count: number) => Buffer.alloc(count) };

/** A run that the test ends by hand; ends by itself, as a real one, when its signal fires. */
class HeldRun {
  readonly work: TaskWork;
  readonly result: Promise<TaskEnd>;
  readonly #deferred = Promise.withResolvers<TaskEnd>();

  constructor(work: TaskWork, options: { deaf: boolean }) {
    this.work = work;
    this.result = this.#deferred.promise;
    if (!options.deaf) work.signal.addEventListener('abort', () => this.#deferred.reject(work.signal.reason));
  }

  succeed(end: TaskEnd = done): void {
    this.#deferred.resolve(end);
  }

  fail(error: Error): void {
    this.#deferred.reject(error);
  }
}

class House {
  readonly clock = new FakeClock();
  readonly runs: HeldRun[] = [];
  readonly settledEnds: { subjectId: string; state: string; reason: string }[] = [];
  readonly catalog: Catalog;
  readonly handlers: TaskHandlers;
  readonly workers: Worker[] = [];
  deaf = false;

  constructor(catalog: Catalog) {
    this.catalog = catalog;
    const handler: TaskHandler = {
      run: (work) => {
        const run = new HeldRun(work, { deaf: this.deaf });
        this.runs.push(run);
        return run.result;
      },
      settle: async (_writer, task, { state, reason }) => {
        this.settledEnds.push({ subjectId: task.subjectId, state, reason });
      },
    };
    this.handlers = {
      takeSnapshot: handler,
      restoreSnapshot: handler,
      restoreCollections: handler,
      exportSnapshot: handler,
      serveDownload: handler,
      deleteSnapshot: handler,
      copySnapshot: handler,
      deleteSnapshotCopy: handler,
      copyCatalog: handler,
      tailOplog: handler,
      pruneSlices: handler,
      releaseBalancer: handler,
      copyOplogs: handler,
      takeCheckpoint: handler,
    };
  }

  worker(owner: string, concurrency = 4): Worker {
    const { catalog, clock, handlers } = this;
    const worker = new Worker({
      catalog,
      clock,
      handlers,
      random,
      owner,
      concurrency,
      log: silentLogger,
      leaseMs: LEASE_MS,
    });
    this.workers.push(worker);
    worker.start();
    return worker;
  }

  async enqueue(id: string, options: { key?: string; attemptsMax?: number } = {}): Promise<void> {
    await this.catalog.transact(async (writer) => {
      await enqueueTask(writer, {
        id,
        kind: 'takeSnapshot',
        subjectId: `subject of ${id}`,
        exclusiveKey: options.key ?? null,
        attemptsMax: options.attemptsMax ?? 2,
        nowMs: this.clock.nowMs(),
      });
    });
  }

  async task(id: string): Promise<TaskRow> {
    return must(await findTask(this.catalog.reader, id), `task ${id}`);
  }

  run(index: number): HeldRun {
    return must(this.runs[index], `run ${index} has begun`);
  }
}

async function inHouse(work: (house: House) => Promise<void>): Promise<void> {
  const house = new House(await openMemoryCatalog(new FakeClock()));
  try {
    await work(house);
  } finally {
    for (const run of house.runs) run.succeed();
    const stopped = Promise.all(house.workers.map((worker) => worker.stop()));
    await house.clock.advance(1000);
    await stopped;
    await house.catalog.close();
  }
}

test('a queued task is run, and its last writes and its success are one transaction', async () => {
  await inHouse(async (house) => {
    const worker = house.worker('one');
    await house.enqueue('t1');
    worker.wake();
    await settled();
    assert.equal((await house.task('t1')).state, 'running');
    house.run(0).succeed({
      done: async (writer) => {
        await writeSetting(writer, 'instanceId', 'written at the end');
        assert.equal((await findTask(writer, 't1'))?.state, 'succeeded');
      },
    });
    await settled();
    assert.equal((await house.task('t1')).state, 'succeeded');
    assert.equal(await readSetting(house.catalog.reader, 'instanceId'), 'written at the end');
    assert.equal(worker.activeTasks, 0);
  });
});

test('when the last writes fail the task did not succeed', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    house.run(0).succeed({
      done: async () => {
        throw new Bug('an invariant');
      },
    });
    await settled();
    const task = await house.task('t1');
    assert.equal(task.state, 'failed');
    assert.match(task.failureReason ?? '', /an invariant/);
    assert.deepEqual(house.settledEnds, [{ subjectId: 'subject of t1', state: 'failed', reason: 'an invariant' }]);
  });
});

test('one writer per cluster at a time, other clusters beside it, however many workers', async () => {
  await inHouse(async (house) => {
    for (const id of ['a1', 'a2', 'a3']) await house.enqueue(id, { key: clusterKey('a') });
    await house.enqueue('b1', { key: clusterKey('b') });
    house.worker('one');
    house.worker('two');
    await house.clock.advance(1000);
    const running = () => house.runs.filter((run) => !endedRuns.has(run)).map((run) => run.work.task.id);
    const endedRuns = new Set<HeldRun>();
    assert.deepEqual(running().toSorted(), ['a1', 'b1']);
    for (const next of ['a2', 'a3']) {
      const current = must(
        house.runs.find((run) => !endedRuns.has(run) && run.work.task.id.startsWith('a')),
        'one of a runs',
      );
      current.succeed();
      endedRuns.add(current);
      await house.clock.advance(1000);
      assert.deepEqual(running().toSorted(), [next, 'b1'].toSorted());
    }
  });
});

test('a worker keeps to its number of tasks', async () => {
  await inHouse(async (house) => {
    for (const id of ['t1', 't2', 't3']) await house.enqueue(id);
    house.worker('one', 2);
    await house.clock.advance(1000);
    assert.equal(house.runs.length, 2);
    house.run(0).succeed();
    await settled();
    assert.equal(house.runs.length, 3);
  });
});

test('a live worker keeps its lease for as long as it runs', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    house.worker('two');
    await house.clock.advance(LEASE_MS * 3);
    assert.equal(house.runs.length, 1);
    const task = await house.task('t1');
    assert.equal(task.generation, 1);
    assert.ok((task.leaseExpiresAtMs ?? 0) > house.clock.nowMs());
  });
});

test('a worker that lost its lease commits nothing, is told, and the other one finishes', async () => {
  await inHouse(async (house) => {
    house.deaf = true;
    house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    // As if the first process had been suspended: its lease is over before it looks again, and the second takes the
    // task.
    const claimed = await claimTask(house.catalog, {
      owner: 'two',
      nowMs: house.clock.nowMs() + LEASE_MS + 1,
      leaseMs: LEASE_MS,
    });
    assert.equal(claimed?.generation, 2);
    const first = house.run(0);
    await assert.rejects(
      first.work.commit(async (writer) => await writeSetting(writer, 'instanceId', 'too late')),
      LeaseLost,
    );
    assert.equal(first.work.signal.aborted, true);
    first.succeed({ done: async (writer) => await writeSetting(writer, 'instanceId', 'too late') });
    await house.clock.advance(1000);
    assert.equal(await readSetting(house.catalog.reader, 'instanceId'), null);
    const task = await house.task('t1');
    assert.deepEqual([task.state, task.leaseOwner, task.generation], ['running', 'two', 2]);
    assert.deepEqual(house.settledEnds, []);
  });
});

test('a lost lease is noticed without a commit', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    await claimTask(house.catalog, { owner: 'two', nowMs: house.clock.nowMs() + LEASE_MS + 1, leaseMs: LEASE_MS });
    assert.equal(house.run(0).work.signal.aborted, false);
    await house.clock.advance(500);
    assert.ok(house.run(0).work.signal.reason instanceof LeaseLost);
  });
});

test('a crashed task is taken up by the next start at once, and fails when its attempts are used up', async () => {
  await inHouse(async (house) => {
    await house.enqueue('t1', { attemptsMax: 2 });
    const crash = { owner: 'one', leaseMs: LEASE_MS };
    await claimTask(house.catalog, { ...crash, nowMs: house.clock.nowMs() });
    assert.equal(await claimTask(house.catalog, { ...crash, nowMs: house.clock.nowMs() }), null);
    assert.equal(await recoverTasks(house.catalog, 'somebody else'), 0);
    assert.equal(await recoverTasks(house.catalog, 'one'), 1);
    const second = await claimTask(house.catalog, { ...crash, nowMs: house.clock.nowMs() });
    assert.deepEqual([second?.attempts, second?.generation], [2, 2]);
    await recoverTasks(house.catalog, 'one');
    house.worker('one');
    await settled();
    const task = await house.task('t1');
    assert.equal(task.state, 'failed');
    assert.match(task.failureReason ?? '', /its 2 attempts are used up/);
    assert.equal(house.runs.length, 0);
    assert.equal(house.settledEnds[0]?.state, 'failed');
  });
});

test('without a restart a crashed task is free when its lease has run out', async () => {
  await inHouse(async (house) => {
    await house.enqueue('t1');
    await claimTask(house.catalog, { owner: 'gone', nowMs: house.clock.nowMs(), leaseMs: LEASE_MS });
    house.worker('one');
    await house.clock.advance(LEASE_MS - 1000);
    assert.equal(house.runs.length, 0);
    await house.clock.advance(2000);
    assert.equal(house.run(0).work.task.generation, 2);
  });
});

test('a cancel request reaches a running task within half a second', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    const { catalog, handlers, clock } = house;
    await catalog.transact(async (writer) => {
      await requestCancel(writer, handlers, { taskId: 't1', nowMs: clock.nowMs() });
    });
    await clock.advance(500);
    assert.equal(house.run(0).work.signal.aborted, true);
    assert.equal((await house.task('t1')).state, 'cancelled');
    assert.deepEqual(house.settledEnds, [
      { subjectId: 'subject of t1', state: 'cancelled', reason: 'cancelled on request' },
    ]);
  });
});

test('what a cancelled run left behind is said where its end is read, also when the cancel comes only after a stop or a failure', async () => {
  const reason = 'the restore was cancelled while loading documents and left the target incomplete';
  await inHouse(async (house) => {
    house.deaf = true;
    const worker = house.worker('one');
    const { catalog, handlers, clock } = house;
    const cancel = async (taskId: string) =>
      await catalog.transact(async (writer) => await requestCancel(writer, handlers, { taskId, nowMs: clock.nowMs() }));
    for (const id of ['t1', 't2', 't3']) await house.enqueue(id);
    await clock.advance(1000);
    await cancel('t1');
    await clock.advance(500);
    house.run(0).fail(new CancelledHalfway(reason));
    house.run(2).fail(new Fault({ op: 'x', subject: 'y', message: 'it left the target incomplete', retryable: true }));
    await clock.advance(100);
    await cancel('t3');
    const stopping = worker.stop();
    house.run(1).fail(new CancelledHalfway(reason));
    await clock.advance(1000);
    await stopping;
    await cancel('t2');
    const told = ['t1', 't2', 't3'].map(async (id) => (await house.task(id)).failureReason);
    const before = 'cancelled on request; before that: ';
    assert.deepEqual(await Promise.all(told), [reason, before + reason, `${before}it left the target incomplete`]);
    assert.deepEqual(new Set(house.settledEnds.map((end) => end.state)), new Set(['cancelled']));
  });
});

test('a waiting task is cancelled at once and never run; one that ended stays as it was', async () => {
  await inHouse(async (house) => {
    const { catalog, handlers, clock } = house;
    await house.enqueue('t1');
    const cancel = async () =>
      await catalog.transact(
        async (writer) => await requestCancel(writer, handlers, { taskId: 't1', nowMs: clock.nowMs() }),
      );
    assert.equal((await cancel())?.state, 'cancelled');
    assert.equal((await cancel())?.state, 'cancelled');
    assert.equal(house.settledEnds.length, 1);
    house.worker('one');
    await clock.advance(5000);
    assert.equal(house.runs.length, 0);
  });
});

test('a passing fault is tried again after a wait, a lasting one and a bug are not', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1', { attemptsMax: 2 });
    await house.enqueue('t2', { attemptsMax: 2 });
    await house.clock.advance(1000);
    const passing = () => new Fault({ op: 'read', subject: 'it', message: 'connection reset', retryable: true });
    house.run(0).fail(passing());
    house.run(1).fail(new Bug('broken'));
    await settled();
    const waiting = await house.task('t1');
    assert.deepEqual([waiting.state, waiting.failureReason], ['queued', 'connection reset']);
    assert.match(waiting.progress ?? '', /"phase":"waiting [12] s before try 2 of 2: connection reset"/);
    assert.equal((await house.task('t2')).state, 'failed');
    await house.clock.advance(900);
    assert.equal(house.runs.length, 2);
    await house.clock.advance(2000);
    house.run(2).fail(passing());
    await settled();
    const task = await house.task('t1');
    assert.deepEqual(
      [task.state, task.attempts, task.failureReason],
      ['failed', 2, 'connection reset (tried 2 times in 3 s)'],
    );
  });
});

test('on shutdown what runs is put back, free at once, and the attempt is not counted', async () => {
  await inHouse(async (house) => {
    const worker = house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    await worker.stop();
    const task = await house.task('t1');
    assert.deepEqual([task.state, task.attempts, task.leaseOwner], ['queued', 0, null]);
    assert.deepEqual(house.settledEnds, []);
    house.worker('two');
    await settled();
    assert.equal(house.run(1).work.task.attempts, 1);
  });
});

test('a task that has to wait is run again later, without using up attempts', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1', { attemptsMax: 1 });
    await house.clock.advance(1000);
    house.run(0).succeed({ againAfterMs: 10_000 });
    await house.clock.advance(9_000);
    assert.equal(house.runs.length, 1);
    await house.clock.advance(2_000);
    house.run(1).succeed();
    await settled();
    assert.equal((await house.task('t1')).state, 'succeeded');
  });
});

test('progress is kept, once a second at most', async () => {
  await inHouse(async (house) => {
    house.worker('one');
    await house.enqueue('t1');
    await house.clock.advance(1000);
    const { work } = house.run(0);
    work.report({ phase: 'scan', documentsDone: 1, bytesDone: 10 });
    await house.clock.advance(400);
    assert.deepEqual(JSON.parse((await house.task('t1')).progress ?? ''), {
      phase: 'scan',
      documentsDone: 1,
      bytesDone: 10,
    });
    work.report({ phase: 'scan', documentsDone: 2, bytesDone: 20 });
    await house.clock.advance(400);
    assert.match((await house.task('t1')).progress ?? '', /"documentsDone":1/);
    await house.clock.advance(800);
    assert.match((await house.task('t1')).progress ?? '', /"documentsDone":2/);
  });
});
