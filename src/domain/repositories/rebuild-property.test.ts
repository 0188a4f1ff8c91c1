import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainWorld } from '../../../test/support/domain-world.ts';
import { withExportBucket } from '../../../test/support/export-bucket.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import { ha1Context } from '../../catalog/api-keys.ts';
import { insertCheckpoint } from '../../catalog/checkpoints.ts';
import { uriContext } from '../../catalog/clusters.ts';
import type { Tables } from '../../catalog/schema.ts';
import { tables } from '../../catalog/tables.ts';
import { Fault } from '../../lib/errors.ts';
import { systemRandom } from '../../lib/random.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import { scheduleDuty } from '../schedules/serve-due.ts';
import { copyExpiryDuty } from '../snapshot-copies/copy-expiry.ts';
import { expiryDuty } from '../snapshots/expiry.ts';
import { rebuildCatalog } from './rebuild.ts';

const regions = ['US_EAST_1'];
const DAY_MS = 86_400_000;
const never = new AbortController().signal;
const RUNS = 4;
const STEPS = 30;

type Row = Record<string, unknown>;

/** Everybody who uses the service, without a plan. What the rules refuse is refused; the rest happens. */
class Users {
  readonly #world: DomainWorld;
  readonly #random: SeededRandom;
  readonly #names: ClusterName[] = [];
  readonly #buckets = new Map<string, string>();
  readonly done = new Map<string, number>();
  #completed = 0;

  constructor(world: DomainWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  async step(): Promise<void> {
    if (this.#names.length === 0) return await this.#did('register', async () => await this.#register());
    const steps = Object.entries(this.#steps(this.#random.pick(this.#names)));
    const [what, work] = this.#random.pick(steps);
    await this.#did(what, work);
  }

  async #did(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.done.set(what, (this.done.get(what) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    await this.#world.clock.advance(this.#random.between(1, 4_000));
  }

  async #register(): Promise<void> {
    const name = await this.#world.withCluster(`shop${this.#names.length}`);
    this.#names.push(name);
    this.#buckets.set(name.projectId, await withExportBucket(this.#world, name.projectId));
  }

  #steps(name: ClusterName): Record<string, () => Promise<unknown>> {
    const { projectId } = name;
    const { domain, context, catalog, clock } = this.#world;
    const random = this.#random;
    const roleNames = ['ORG_OWNER'];
    const place = async () => ({ organizationId: (await domain.projects.get(projectId)).organizationId });
    const snapshotId = async () => (await this.#snapshots(name)).at(random.below(3))?.id ?? 'f'.repeat(24);
    return {
      register: async () => await this.#register(),
      'take a snapshot': async () => {
        await domain.snapshots.take({ ...name, retentionInDays: random.between(1, 5) });
        await this.#completeTakes();
      },
      'take a scheduled one': async () => await this.#takeScheduled(),
      'change its retention': async () =>
        await domain.snapshots.updateRetention({
          ...{ ...name, snapshotId: await snapshotId() },
          ...{ retentionUnit: 'DAYS', retentionValue: random.between(1, 40) },
        }),
      'delete a snapshot': async () => await domain.snapshots.delete({ ...name, snapshotId: await snapshotId() }),
      'change the schedule': async () =>
        await domain.schedules.update({
          ...name,
          patch: {
            referenceHour: random.below(24),
            referenceMinute: random.below(60),
            copySettings: [{ regionName: 'US_EAST_1', zoneId: 'e'.repeat(24), frequencies: ['DAILY', 'ON_DEMAND'] }],
          },
        }),
      'change the legacy schedule': async () =>
        await domain.legacy.updateSchedule({ ...name, changes: { snapshotRetentionDays: random.between(2, 5) } }),
      'set a compliance policy': async () =>
        await domain.compliancePolicies.put({
          ...{ projectId, overwrite: true, user: 'me' },
          policy: { authorizedEmail: 'a@example.com', restoreWindowDays: random.between(1, 7) },
        }),
      'make an API key': async () => await domain.apiKeys.create({ place: await place(), description: 'k', roleNames }),
      'remove an API key': async () => {
        const page = { pageNum: 1, itemsPerPage: 5, includeCount: false };
        const here = await place();
        const { items } = await domain.apiKeys.list({ place: here, page });
        if (items.length > 1) await domain.apiKeys.remove({ place: here, apiKeyId: random.pick(items).id });
      },
      'make a service account': async () =>
        await domain.serviceAccounts.create({
          ...{ place: await place(), name: 's', description: 'd', roleNames, secretExpiresAfterHours: 8 },
        }),
      'list an address': async () =>
        await domain.accessLists.add({
          ...{ owner: { kind: 'project', id: projectId }, entries: [{ ipAddress: `192.0.2.${random.below(250)}` }] },
        }),
      'make a private endpoint': async () =>
        await domain.privateEndpoints.create({ projectId, cloudProvider: 'AWS', regionName: 'US_EAST_1' }),
      'make an access role': async () => await domain.cloudProviderAccess.create({ projectId, cloudProvider: 'AWS' }),
      'rename an organization': async () =>
        await domain.organizations.create({ name: `organization ${random.below(1_000)}` }),
      'switch continuous backup': async () =>
        await domain.clusters.update({ ...name, change: { pitEnabled: random.oneIn(2) } }),
      export: async () => {
        const exportBucketId = this.#buckets.get(projectId) ?? '';
        await domain.exportJobs.create({ ...name, snapshotId: await snapshotId(), exportBucketId, customData: [] });
        await this.#world.run();
        const one = this.#world.exports.at(-1);
        if (random.oneIn(4)) one?.fail(new Fault({ op: 'export', subject: 'x', message: 'no room' }));
        else one?.succeed({ collections: 2 });
        await this.#world.run();
      },
      restore: async () => {
        await domain.restoreJobs.create({
          ...{ ...name, deliveryType: 'automated', snapshotId: await snapshotId() },
          ...{ targetProjectId: projectId, targetClusterName: name.clusterName },
        });
        await this.#world.run();
        this.#world.restores.at(-1)?.succeed({ documents: 1, bytes: 1, leftOut: { named: [], count: 0 } });
        await this.#world.run();
      },
      'make a checkpoint': async () => {
        const { id: clusterId } = await domain.clusters.get(name);
        const id = context.ids.next();
        const typeName = 'REPLICA_SET' as const;
        await catalog.transact(async (writer) => {
          await insertCheckpoint(
            writer,
            {
              ...{ id, clusterId, startedAtMs: clock.nowMs(), completedAtMs: clock.nowMs(), timestampMs: 1 },
              ...{ restorable: 1, state: 'completed', clusterTimeT: 1, clusterTimeI: 1 },
            },
            [
              {
                ...{ checkpointId: id, position: 0, replicaSetName: 'rs0', shardName: 's0', typeName },
                ...{ tokenDiscovered: 1, tokenSeconds: 1, tokenIncrement: 2 },
              },
            ],
          );
        });
      },
      'let days pass': async () => {
        await this.#completeTakes();
        await clock.leap(random.between(1, 3) * DAY_MS);
        await expiryDuty(context).run(never);
        await copyExpiryDuty(context).run(never);
        await this.#world.run();
      },
      'remove the cluster': async () => {
        if (this.#names.length < 2 || !random.oneIn(3)) return;
        await domain.clusters.remove({ ...name, deleteSnapshots: random.oneIn(2) });
        this.#names.splice(this.#names.indexOf(name), 1);
      },
    };
  }

  async #snapshots(name: ClusterName) {
    const page = { pageNum: 1, itemsPerPage: 3, includeCount: false };
    return (await this.#world.domain.snapshots.list({ ...name, page })).items;
  }

  async #takeScheduled(): Promise<void> {
    await this.#completeTakes();
    await this.#world.clock.leap(DAY_MS);
    await scheduleDuty(this.#world.context).run(never);
    await this.#completeTakes();
  }

  async #completeTakes(): Promise<void> {
    await this.#world.run();
    while (this.#completed < this.#world.takes.length) {
      this.#world.completeTake(this.#completed++);
      await this.#world.run();
    }
  }
}

/** The rows of a table that a rebuild is to bring back, secrets opened, without what is found out anew. */
async function keptRows(world: DomainWorld, table: keyof Tables): Promise<Row[]> {
  const verdict = tables[table];
  if (verdict.copied === 'no') return [];
  const rows: Row[] = await world.catalog.reader
    .selectFrom(table as 'settings')
    .selectAll()
    .execute();
  const snapshots = await world.catalog.reader.selectFrom('snapshots').select(['id', 'deletedAtMs']).execute();
  const deleted = new Set(snapshots.flatMap(({ id, deletedAtMs }) => (deletedAtMs === null ? [] : [id])));
  const left = 'but' in verdict ? new Set<string>(verdict.but) : new Set<string>();
  const shown = ({ sealedUri, sealedHa1, ...row }: Row) => ({
    ...Object.fromEntries(Object.entries(row).filter(([column]) => !left.has(column))),
    ...(typeof sealedUri === 'string' ? { uri: world.context.secretBox.open(sealedUri, uriContext(`${row.id}`)) } : {}),
    ...(typeof sealedHa1 === 'string' ? { ha1: world.context.secretBox.open(sealedHa1, ha1Context(`${row.id}`)) } : {}),
  });
  const isKept = (row: Row): boolean => {
    if (table === 'snapshots') return row.status === 'completed' && row.deletedAtMs === null;
    if ((table === 'restoreJobs' || table === 'exportJobs') && row.finishedAtMs === null) return false;
    if (table === 'snapshotCopies') return row.state === 'completed' && row.deletedAtMs === null;
    // An export of a snapshot that is gone goes with it; restores name theirs by an id alone.
    return table !== 'exportJobs' || !deleted.has(String(row.snapshotId));
  };
  const kept = rows.filter(isKept);
  const columns = verdict.copied === 'columns' ? ['id', ...verdict.these] : null;
  return kept
    .map(shown)
    .map((row) =>
      columns === null ? row : Object.fromEntries(columns.map((column) => [column, (row as Row)[column]])),
    )
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test('whatever was done, a rebuild brings back every table that is copied', async () => {
  const seed = Number(process.env.SEED ?? systemRandom.bytes(4).readUInt32LE(0));
  const done = new Map<string, number>();
  for (let run = 0; run < RUNS; run++) {
    const lost = await DomainWorld.open({ encrypted: true, regions });
    const users = new Users(lost, new SeededRandom(seed, run));
    // Tailers never end, and none of the others is to wait for a place.
    lost.startWorker('one', 100);
    for (let step = 0; step < STEPS; step++) await users.step();
    await lost.clock.advance(30_000);
    await lost.worker?.stop();
    const world = await DomainWorld.open({ encrypted: true, regions, clock: lost.clock, manifests: lost.manifests });
    world.copies.push(...lost.copies);
    const { catalogCopies } = world.ports;
    await rebuildCatalog(world.context, { manifests: world.manifests, catalogCopies });
    for (const table of Object.keys(tables) as (keyof Tables)[])
      assert.deepEqual(await keptRows(world, table), await keptRows(lost, table), `${table}, seed ${seed}, run ${run}`);
    for (const [what, times] of users.done) done.set(what, (done.get(what) ?? 0) + times);
    await world.close();
    await lost.close();
  }
  assert.ok(done.size >= 12, `seed ${seed} did no more than ${[...done.keys()].join(', ')}`);
});
