import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { MemoryJournal } from '../../../test/support/memory-journal.ts';
import { until, useReplicaSet } from '../../../test/support/replica-set.ts';
import { restoreChosen } from '../../../test/support/restored-collections.ts';
import { SnapshotRig } from '../../../test/support/snapshot-rig.ts';
import { appNameOf } from '../restore/preflight/end-earlier-work.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';
import type { RecordChange } from './collection-record.ts';

describe('what is made in its place', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target', members: 3 });
  const run = { id: 'a'.repeat(24), attempt: 1 };
  let rig: SnapshotRig;
  let taken: TakenSnapshot;

  before(async () => {
    rig = await SnapshotRig.create();
    for (const { client } of [source(), target()]) {
      const db = client.db('shop');
      await db.createCollection('series', { timeseries: { timeField: 't' } });
      await db.collection('series').insertOne({ t: new Date(0), n: 1 });
    }
    await source().client.db('shop').createCollection('view', { viewOn: 'orders', pipeline: [] });
    taken = await rig.take(source().uri);
  });

  // A series replaces one that is there, which has to be gone before, for good.
  const lastBefore: Record<string, (change: RecordChange) => boolean> = {
    view: ({ state }) => state === 'FINALIZING',
    series: ({ stagedUuid }) => stagedUuid !== undefined,
  };
  for (const [name, isLast] of Object.entries(lastBefore)) {
    test(`a ${name} is noted as done only once a majority has it`, async () => {
      const primary = await target().primary();
      const secondaries = target().members.filter((member) => member !== primary);
      const pause = async (mode: 'alwaysOn' | 'off') => {
        for (const member of secondaries)
          await target().command(member, { configureFailPoint: 'stopReplProducer', mode });
      };
      const journal = new MemoryJournal();
      journal.beforeChange = async (_, change) => {
        if (isLast(change)) await pause('alwaysOn');
      };
      const state = () => journal.states()[`shop.${name}`];
      const restoring = restoreChosen(
        rig,
        taken,
        { collections: { [`shop.${name}`]: `shop.${name}` } },
        { uri: target().uri, journal, writeStrategy: 'overwriteExisting', restoreId: run.id, attempt: run.attempt },
      );
      restoring.catch(() => undefined);
      const waits = { appName: appNameOf(run), 'command.writeConcern.w': 'majority', 'command.appendOplogNote': 1 };
      try {
        await until('the restore waits for a majority of what it made, or takes it for done', async () => {
          if (state() === 'SUCCESSFUL') return true;
          const command = { aggregate: 1, pipeline: [{ $currentOp: {} }, { $match: waits }], cursor: {} };
          const { cursor } = await target().command(primary, command);
          const there = await target().client.db('shop').listCollections({ name }, { nameOnly: true }).toArray();
          return cursor.firstBatch.length > 0 && there.length > 0 && state() === 'FINALIZING' ? true : null;
        });
        assert.equal(state(), 'FINALIZING');
      } finally {
        await pause('off');
      }
      await restoring;
      assert.equal(state(), 'SUCCESSFUL');
    });
  }
});
