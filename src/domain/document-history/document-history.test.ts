import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { documentOf } from '../../bson/raw-bson.ts';
import type { DocumentVersion, HistoryItem } from '../../engine/history/history-item.ts';
import { must } from '../../lib/assert.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';

const { signal } = new AbortController();
const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const at = (t: number) => BigInt(t) << 32n;
const document = documentOf([{ name: '_id', type: 0x10, value: Buffer.from([7, 0, 0, 0]) }]);

function version(t: number, change: Partial<DocumentVersion> = {}): DocumentVersion {
  const common = { kind: 'version', transaction: null, uuid: A, cause: null, shardName: null, moved: false } as const;
  return {
    ...common,
    at: at(t),
    operation: 'update',
    namespace: 'shop.orders',
    content: 'document',
    document,
    ...change,
  };
}

const absent = { content: 'absent', document: null } as const;
const unknown = { content: 'unknown', document: null, cause: 'it began so' } as const;

async function inHistory(
  items: readonly HistoryItem[],
  work: (world: DomainWorld, name: ClusterName & { namespace: string; id: unknown }) => Promise<void>,
): Promise<void> {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.history = async function* () {
      yield* items;
    };
    await work(world, { ...name, namespace: 'shop.orders', id: 7 });
  });
}

const chosen: [string, HistoryItem[], string][] = [
  ['the last version', [version(1), version(2)], '2 shop.orders'],
  ['none: it was deleted', [version(1), version(2, absent)], 'DOCUMENT_VERSION_NOT_FOUND'],
  ['none: nothing was ever there', [], 'DOCUMENT_VERSION_NOT_FOUND'],
  [
    'none: its collection had gone to another name',
    [version(1), version(2, { namespace: 'shop.old' })],
    'DOCUMENT_VERSION_NOT_FOUND',
  ],
  [
    'that of the collection that had the name',
    [version(1), version(2, { namespace: 'shop.old' }), version(2, { uuid: B })],
    `2 shop.orders`,
  ],
  ['none: its content is not known', [version(1), version(2, unknown)], 'DOCUMENT_VERSION_UNKNOWN'],
  [
    'none: the moment lies in a gap',
    [version(1), { kind: 'unknown', from: at(2), to: at(9), cause: 'gap' }],
    'DOCUMENT_VERSION_UNKNOWN',
  ],
  [
    'the one at which a gap begins',
    [version(5), { kind: 'unknown', from: at(5), to: at(9), cause: 'gap' }],
    '5 shop.orders',
  ],
];
for (const [what, items, expected] of chosen) {
  test(`a version is chosen: ${what}`, async () => {
    await inHistory(items, async ({ domain }, name) => {
      const found = await domain.documentHistory.version({ ...name, at: at(5), signal }).then(
        (one) => `${Number(one.at >> 32n)} ${one.namespace}`,
        (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
      );
      assert.equal(found, expected);
    });
  });
}

test('a version is written where it is asked to go, and elsewhere nothing is', async () => {
  await inHistory([version(1)], async (world, name) => {
    await world.register(name.projectId, 'other');
    const { documentHistory } = world.domain;
    const request = { ...name, at: at(5), signal, overwrite: true };
    const restored = await documentHistory.restore({ ...request, targetClusterName: 'other', targetNamespace: 'x.y' });
    assert.deepEqual(
      [restored.targetClusterName, restored.targetNamespace, restored.result],
      ['other', 'x.y', 'inserted'],
    );
    assert.equal(restored.version.documentJson, '{"_id":{"$numberInt":"7"}}');
    const put = must(world.puts[0], 'a write');
    assert.deepEqual([put.namespace, put.overwrite, put.document], [{ db: 'x', name: 'y' }, true, document]);
    for (const targetNamespace of ['admin.x', 'shop.system.js', 'local.x', 'shop', 'config.x'])
      await assert.rejects(
        documentHistory.restore({ ...request, targetNamespace }),
        /VALIDATION|validation/,
        targetNamespace,
      );
    assert.equal(world.puts.length, 1);
  });
});

test('what is asked is what the repository is asked, and what cannot be an id or a time is refused', async () => {
  await inHistory([], async (world, name) => {
    world.startWorker();
    const snapshotId = await world.takeWhole(name);
    const asked: Parameters<DomainWorld['history']>[0][] = [];
    const nothing = world.history;
    world.history = (request) => {
      asked.push(request);
      return nothing(request);
    };
    const { documentHistory } = world.domain;
    await documentHistory.list({ ...name, fromMs: 5_000, toMs: 9_000, limit: 1, signal });
    const one = must(asked[0], 'a question');
    assert.deepEqual([one.from, one.to, one.namespace], [at(5), at(9), { db: 'shop', name: 'orders' }]);
    assert.deepEqual([one.id, one.snapshots.map(({ id }) => id)], [Buffer.from([0x10, 7, 0, 0, 0]), [snapshotId]]);
    await documentHistory.list({ ...name, cursor: '6.2.1', limit: 1, signal });
    assert.equal(asked[1]?.from, at(6) + 2n);
    for (const wrong of [
      { id: [1] },
      { id: undefined },
      { namespace: 'shop' },
      { namespace: 'local.x' },
      { cursor: 'x' },
      { fromMs: 9_000, toMs: 1_000 },
    ])
      await assert.rejects(
        documentHistory.list({ ...name, ...wrong, limit: 1, signal }),
        /validation/,
        JSON.stringify(wrong),
      );
  });
});

test('of a sharded cluster every shard is asked that was ever taken or is captured, and never the config servers', async () => {
  await inWorld({}, async (world) => {
    const probe = world.probe;
    world.probe = async (...call) => ({ ...(await probe(...call)), topology: 'sharded', replicaSetName: 'cfg' });
    const cluster = await world.withCluster();
    const asked: Parameters<typeof world.history>[0][] = [];
    world.history = (request) => {
      asked.push(request);
      return (async function* () {
        yield version(1);
      })();
    };
    const name = { ...cluster, namespace: 'shop.orders', id: 7, signal, limit: 10 };
    await assert.rejects(
      world.domain.documentHistory.list(name),
      (error) => error instanceof Refusal && error.code === 'DOCUMENT_HISTORY_UNSUPPORTED',
    );
    world.startWorker();
    await world.domain.snapshots.take({ ...cluster, retentionInDays: 7 });
    await world.run();
    const replicaSet = (shardName: string, replicaSetName: string) => ({
      ...{ id: 'a'.repeat(24), shardName, replicaSetName, configServer: shardName === 'config', replicaSetId: null },
      ...{ position: { t: 1, i: 1, term: 1 }, mongodVersion: '6.0.5', featureCompatibilityVersion: '6.0' },
      ...{ collections: 0, documents: 0, bytes: 0 },
    });
    const replicaSets = [replicaSet('s1', 'rs1'), replicaSet('s0', 'rs0'), replicaSet('config', 'cfg')];
    world.completeTake(0, { type: 'sharded', replicaSetName: 'cfg', replicaSets });
    await world.run();
    await world.domain.documentHistory.list(name);
    assert.deepEqual(
      asked.map(({ replicaSetName, shards }) => [replicaSetName, shards.map(({ shardName }) => shardName)]),
      [[null, ['s0', 's1']]],
    );
  });
});
