import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MongoClient } from 'mongodb';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { forEachConcurrently } from '../../src/lib/bounded.ts';
import { readCollection } from '../../src/repository/layers/layers.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { checkRepository } from '../../src/repository/upkeep/check.ts';
import { compareTruth } from '../support/compare.ts';
import { documentsIn } from '../support/raw-documents.ts';
import { useReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SnapshotRig } from '../support/snapshot-rig.ts';
import { readTruth, type Truth } from '../support/truth.ts';

/*
 * A thousand and more tiny collections in many databases, created, dropped, renamed and changed at random between
 * snapshots, some of which are stopped at a moment of chance. Every snapshot has what the server had; the last is
 * restored. `SEED=<seed>` repeats a run, `COLLECTIONS=<number>` and `ROUNDS=<number>` make it longer.
 */
const seed = Number(process.env.SEED ?? 4);
const collections = Number(process.env.COLLECTIONS ?? 1200);
const rounds = Number(process.env.ROUNDS ?? 4);
const DATABASES = 30;
const AT_ONCE = 16;

const target = useReplicaSet({ name: 'target' });

interface Place {
  db: string;
  name: string;
}

/** What is done to the source; no two operations of one round touch one collection. */
class TinyWorld {
  readonly #client: MongoClient;
  readonly #random: SeededRandom;
  #places: Place[] = [];
  #made = 0;

  constructor(client: MongoClient, random: SeededRandom) {
    this.#client = client;
    this.#random = random;
  }

  async create(count: number): Promise<void> {
    const fresh = Array.from({ length: count }, () => {
      const number = this.#made++;
      return { db: `tenant_${number % DATABASES}`, name: `c${number}`, documents: this.#random.below(6) };
    });
    await forEachConcurrently(fresh, AT_ONCE, async ({ db, name, documents }) => {
      const rows = Array.from({ length: documents }, (_, n) => ({ _id: n as never, of: name, version: 0 }));
      await this.#client.db(db).createCollection(name);
      if (rows.length > 0) await this.#client.db(db).collection(name).insertMany(rows);
    });
    this.#places.push(...fresh);
  }

  async change(): Promise<void> {
    const kept: Place[] = [];
    const work: (() => Promise<unknown>)[] = [];
    for (const place of this.#places) {
      const { db, name } = place;
      const fate = this.#random.below(20);
      const collection = this.#client.db(db).collection(name);
      const [id, version] = [this.#random.below(6) as never, this.#random.below(1000)];
      if (fate === 0) {
        work.push(() => collection.drop());
        continue;
      }
      const renamed = { db, name: `r${this.#made++}` };
      if (fate === 1) work.push(() => collection.rename(renamed.name));
      if (fate === 2) work.push(() => collection.deleteOne({ _id: id }));
      if (fate === 3) work.push(() => collection.updateOne({ _id: id }, { $set: { version } }, { upsert: true }));
      if (fate === 4) work.push(() => collection.createIndex({ version: 1 }));
      kept.push(fate === 1 ? renamed : place);
    }
    await forEachConcurrently(work, AT_ONCE, async (each) => void (await each()));
    this.#places = kept;
    await this.create(30);
  }
}

async function assertHolds(rig: SnapshotRig, taken: TakenSnapshot, truth: Truth): Promise<void> {
  const manifest = await readManifest(rig.repository, taken.header);
  const held = new Map(manifest.collections.map((entry) => [`${entry.db}.${entry.name}`, entry]));
  const wanted = [...truth.collections].filter(([namespace]) => namespace.startsWith('tenant_'));
  const names = [...held.keys()].filter((namespace) => namespace.startsWith('tenant_'));
  assert.deepEqual(names.sort(), wanted.map(([namespace]) => namespace).sort());
  for (const [namespace, { documents }] of wanted) {
    const entry = held.get(namespace);
    assert.ok(entry !== undefined && documents !== null, namespace);
    const read = new Map<string, string>();
    for await (const buffer of readCollection(rig.repository, rig.clusterId, entry))
      for (const [id, document] of documentsIn(buffer)) read.set(id, document);
    const hex = new Map([...documents].map(([id, raw]) => [id, raw.toString('hex')]));
    assert.deepEqual(read, hex, namespace);
  }
}

test(`tiny collections of a real server, with snapshots that are stopped in between (seed ${seed})`, async (t) => {
  await withReplicaSet({}, async (source) => {
    const random = new SeededRandom(seed);
    const rig = await SnapshotRig.create();
    const world = new TinyWorld(source.client, random);
    await world.create(collections);
    const kept: { taken: TakenSnapshot; truth: Truth }[] = [];
    let stopped = 0;
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await world.change();
      if (round !== 1) {
        const dying = rig.take(source.uri, { signal: AbortSignal.timeout(50 + random.below(600)) });
        await dying.catch(() => stopped++);
      }
      const taken = await rig.take(source.uri);
      kept.push({ taken, truth: await readTruth(source.client, null) });
    }
    t.diagnostic(`${stopped} snapshots were stopped`);
    assert.ok(stopped > 0, 'at least the first, which takes longest');
    for (const { taken, truth } of kept) await assertHolds(rig, taken, truth);
    assert.deepEqual((await checkRepository(rig.repository, { readData: true })).problems, []);
    const last = kept.at(-1);
    assert.ok(last !== undefined);
    await rig.restore(last.taken, target().uri);
    const ofTenants = ({ collections: all, ...rest }: Truth): Truth => ({
      ...rest,
      collections: new Map([...all].filter(([namespace]) => namespace.startsWith('tenant_'))),
    });
    const restored = await readTruth(target().client, null);
    assert.deepEqual(compareTruth(ofTenants(last.truth), ofTenants(restored)), []);
  });
});
