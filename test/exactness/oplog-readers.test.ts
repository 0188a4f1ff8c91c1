import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'bson';
import { findId, idBytes } from '../../src/bson/raw-bson.ts';
import { changesOf } from '../../src/engine/history/entry-changes.ts';
import type { DocumentVersion, HistoryItem } from '../../src/engine/history/history-item.ts';
import { readHistory } from '../../src/engine/history/read-history.ts';
import { planReplay, type ReplayPlan } from '../../src/engine/replay/plan-replay.ts';
import { plannedChange, plannedEntries } from '../../src/engine/replay/planned-changes.ts';
import type { OplogSource } from '../../src/engine/replay/replay-interval.ts';
import { createReplayState } from '../../src/engine/replay/replay-state.ts';
import { Fault } from '../../src/lib/errors.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { chainBefore, visitOplog } from '../../src/mongo/oplog-reader.ts';
import { changedDocument, isModification } from '../../src/oplog/diffs.ts';
import { readOplogEntry } from '../../src/oplog/entry.ts';
import { forEachOperation, handlingOf, KNOWN_COMMANDS, meaningOf } from '../../src/oplog/operations.ts';
import { visitEntry } from '../../src/oplog/touches.ts';
import type { CollectionEntry } from '../../src/repository/format/manifest.ts';
import { writeSlice } from '../../src/repository/slices.ts';
import { collect } from '../support/collect.ts';
import { RandomOplog, tsOf } from '../support/random-oplog.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { testClusterId, testRepository } from '../support/test-repository.ts';

const signal = new AbortController().signal;
const RUNS = 60;

/** An oplog, of which the entries up to `from` came before the snapshot that is taken at it. */
class Told implements OplogSource {
  readonly oplog: RandomOplog;
  readonly from: number;

  constructor(random: SeededRandom) {
    this.oplog = new RandomOplog(random);
    this.from = this.oplog.begin(random.below(4));
    this.oplog.grow(random.between(20, 80));
  }

  get end(): number {
    return this.oplog.seconds;
  }

  async *entries(): AsyncGenerator<Buffer, void, undefined> {
    for (const { seconds, raw } of this.oplog.entries) if (seconds > this.from) yield raw;
  }

  async earlier(ts: bigint): Promise<Buffer | null> {
    return this.oplog.entries.find(({ seconds }) => tsOf(seconds) === ts)?.raw ?? null;
  }

  rawAt(ts: bigint): Buffer {
    const found = this.oplog.entries.find(({ seconds }) => tsOf(seconds) === ts);
    assert.ok(found !== undefined);
    return found.raw;
  }
}

/** `uuid id` of every document that a snapshot would read again, and what it does not understand. */
async function touchedIn(told: Told): Promise<{ touched: Set<string>; reread: string[] }> {
  const [touched, reread] = [new Set<string>(), [] as string[]];
  const from = { ts: tsOf(told.from), term: 1n };
  const entryAt = async (ts: bigint) => {
    const buffer = await told.earlier(ts);
    return buffer === null ? null : { buffer, entry: readOplogEntry(buffer, 0) };
  };
  const range = {
    from,
    chainsFrom: from.ts,
    chainBefore: async (ts: bigint) => await chainBefore(ts, entryAt, 'host'),
  };
  await visitOplog(told.entries(), range, (found, earlier) => {
    for (const { buffer, entry } of [...earlier, found]) {
      visitEntry(buffer, entry, {
        touched: (uuid, bytes, id) => touched.add(`${uuid} ${bytes.readInt32LE(id.start)}`),
        catalogChanged: () => undefined,
        rereadNeeded: (name, uuid) => reread.push(`${name} ${uuid}`),
      });
    }
    return undefined;
  });
  return { touched, reread };
}

async function planOf(told: Told): Promise<ReplayPlan> {
  const collections = told.oplog.collections.slice(0, 2).map(({ uuid, firstName: name }): CollectionEntry => {
    const info = Buffer.from(serialize({ name, type: 'collection', options: {} }));
    return { db: 'app', name, type: 'collection', uuid, info, indexes: [], documents: 0, bytes: 0, layers: [] };
  });
  return await planReplay({
    state: createReplayState(collections, new Map()),
    from: tsOf(told.from),
    end: { ts: tsOf(told.end), inclusive: true },
    source: told,
    signal,
  });
}

/** What a replay writes, in its order: by `uuid id`, each as operation and document. */
async function replayed(told: Told, plan: ReplayPlan): Promise<Map<string, string[]>> {
  const written = new Map<string, string[]>();
  const documents = new Map<string, Buffer>();
  for await (const { found } of plannedEntries(plan, told, signal)) {
    for (const { buffer, entry } of found) {
      forEachOperation(buffer, entry, (operation) => {
        const change = plannedChange(buffer, operation, { diffs: true });
        if (change?.kind !== 'write' || change.id === null) return;
        const key = `${operation.uuid} ${buffer.readInt32LE(change.id.start)}`;
        const isDiff = change.op === 'u' && isModification(buffer, operation.o);
        const before = documents.get(key) ?? Buffer.alloc(0);
        const after = change.op === 'd' ? null : isDiff ? changedDocument(before, buffer, operation.o) : change.o;
        if (after === null) documents.delete(key);
        else documents.set(key, Buffer.from(after));
        const name = change.op === 'i' ? 'insert' : change.op === 'd' ? 'delete' : isDiff ? 'update' : 'replace';
        written.set(key, [...(written.get(key) ?? []), `${name} ${after?.toString('hex') ?? ''}`]);
      });
    }
  }
  return written;
}

const WRITES = new Set(['insert', 'update', 'replace', 'delete']);

/** The history of every document, in the same form, and those that are there at the end. */
async function histories(told: Told): Promise<{ written: Map<string, string[]>; there: Set<string> }> {
  const repository = await testRepository();
  const source = { clusterId: testClusterId, replicaSetName: 'rs' };
  await writeSlice(repository, source, Buffer.concat(told.oplog.entries.map(({ raw }) => raw)));
  const written = new Map<string, string[]>();
  const there = new Set<string>();
  for (const { uuid, firstName: name } of told.oplog.collections) {
    for (let id = 0; id < 6; id++) {
      const document = Buffer.from(serialize({ _id: id }));
      const element = findId(document, 0);
      assert.ok(element !== null);
      const namespace = { db: 'app', name };
      const range = { from: 0n, to: tsOf(told.end), signal, report: () => undefined };
      const asked = { repository, source, namespace, id: idBytes(document, element), snapshots: [], ...range };
      const items = (await collect(readHistory(asked))).filter(isVersion).filter((item) => item.uuid === uuid);
      if (items.at(-1)?.content === 'document') there.add(`${uuid} ${id}`);
      const texts = items
        .filter(({ operation }) => WRITES.has(operation))
        .map((item) => `${item.operation} ${item.document?.toString('hex') ?? ''}`);
      if (texts.length > 0) written.set(`${uuid} ${id}`, texts);
    }
  }
  return { written, there };
}

function isVersion(item: HistoryItem): item is DocumentVersion {
  return item.kind === 'version';
}

/**
 * `uuid id` of the writes in entries, and in those before them of the same transaction: a snapshot is told of all that
 * may yet be committed.
 */
function idsIn(told: Told, times: Iterable<bigint>): string[] {
  const ids: string[] = [];
  for (const last of times) {
    for (let ts = last; ts !== 0n; ) {
      const buffer = told.rawAt(ts);
      const entry = readOplogEntry(buffer, 0);
      forEachOperation(buffer, entry, ({ uuid, o, o2 }) => {
        const id = findId(buffer, (o2 ?? o).start);
        if (id !== null) ids.push(`${uuid} ${buffer.readInt32LE(id.start)}`);
      });
      ts = entry.previousTs;
    }
  }
  return ids;
}

test('a snapshot, a replay and histories are told the same by an oplog', async (t) => {
  const seed = Number(process.env.SEED ?? systemRandom.bytes(4).readUInt32LE(0));
  t.diagnostic(`SEED=${seed}`);
  const all = new SeededRandom(seed);
  const seen = { writes: 0, skipped: 0, before: 0, undecided: 0, emptied: 0 };
  for (let run = 0; run < RUNS; run++) {
    const told = new Told(all.fork(run));
    const say = `SEED=${seed}, run ${run}`;
    const [{ touched, reread }, plan] = [await touchedIn(told), await planOf(told)];
    const [written, history] = [await replayed(told, plan), await histories(told)];

    assert.deepEqual(new Map([...history.written].sort()), new Map([...written].sort()), `${say}: histories, replay`);
    const expected = new Set([...written.keys(), ...idsIn(told, plan.skipped)]);
    assert.deepEqual([...touched].sort(), [...expected].sort(), `${say}: touched ids, replay`);
    assert.ok(
      reread.every((one) => one.startsWith('emptycapped ')),
      `${say}: read again for ${reread.join()}`,
    );
    const there = told.oplog.collections.flatMap(({ uuid, documents }) =>
      [...documents.keys()].map((id) => `${uuid} ${id}`),
    );
    assert.deepEqual([...history.there].sort(), there.sort(), `${say}: histories, the source`);
    for (const { uuid, name, documents } of told.oplog.collections) {
      const listed = plan.state.collections.get(uuid)?.name;
      if (listed !== undefined) assert.equal(listed, name, say);
      for (const [id, document] of documents) {
        const last = written.get(`${uuid} ${id}`)?.at(-1)?.split(' ')[1] ?? '';
        assert.deepEqual(deserialize(Buffer.from(last, 'hex')), document, `${say}: ${name} ${id}`);
      }
    }
    for (const one of written.values()) seen.writes += one.length;
    seen.skipped += plan.skipped.size;
    seen.before += plan.before.length;
    seen.undecided += plan.undecided.length;
    seen.emptied += reread.length;
  }
  // All kinds came up, so that the agreement says something.
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 0, `SEED=${seed}: no ${kind}`);
});

for (const command of ['brandNew', ...KNOWN_COMMANDS]) {
  test(`the columns of the table agree: ${command}`, () => {
    const { listing, replay, history } = meaningOf(command);
    const handling = handlingOf({ op: 'c', command });
    assert.equal(history === 'unknown', handling === 'unknown', 'what a replay refuses a history does not pass over');
    if (handling === 'catalog' || handling === 'unknown') assert.notEqual(listing, 'same', 'a listing sees the change');
    if (history !== 'nothing') assert.equal(history, replay, 'a history does what a replay does, or nothing');
  });
}

for (const command of ['brandNew', ...KNOWN_COMMANDS.filter((name) => meaningOf(name).replay === 'unknown')]) {
  test(`nobody passes over \`${command}\``, async () => {
    const told = new Told(new SeededRandom(7));
    const [collection] = told.oplog.collections;
    assert.ok(collection !== undefined);
    told.oplog.command({ [command]: collection.name }, collection.uuid);
    await assert.rejects(planOf(told), (error) => error instanceof Fault && error.message.includes(`\`${command}\``));
    const last = told.rawAt(tsOf(told.end));
    const changes = changesOf(last, readOplogEntry(last, 0), () => true);
    assert.deepEqual(changes, [{ kind: 'unknown', uuid: collection.uuid, command }]);
    const listed: string[] = [];
    visitEntry(last, readOplogEntry(last, 0), {
      touched: () => assert.fail('a command touches no document'),
      catalogChanged: (name, db) => listed.push(`${name} ${db}`),
      rereadNeeded: (name) => listed.push(`read again for ${name}`),
    });
    const again = meaningOf(command).listing === 'documents' ? [`read again for ${command}`] : [];
    assert.deepEqual(listed, [`${command} app`, ...again]);
  });
}
