import assert from 'node:assert/strict';
import {
  type ExportedSnapshot,
  type ExportSnapshotOptions,
  exportSnapshot,
} from '../../src/engine/export/export-snapshot.ts';
import { InlineTranscoder } from '../../src/engine/export/transcoding.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { CollectionEntry } from '../../src/repository/format/manifest.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { raw } from '../exactness/raw-values.ts';
import { documentsOfLines, exportedLines } from './exported.ts';
import { FakeClock } from './fake-clock.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from './test-repository.ts';

/** A small snapshot in memory, and its export. */

export const prefix = 'exported_snapshots/org/project/Cluster0/2026-08-10T0327/1786332505';
export const snapshotId = snapshotIdOf(7);
export const completed = {
  ...{ orgId: 'o1', orgName: 'Acme', groupId: 'g1', groupName: 'Project 0', clusterUniqueId: testClusterId },
  ...{ clusterName: 'Cluster0', snapshotMs: Date.parse('2026-08-10T03:27:08.123Z'), labels: [] },
  customData: [{ key: 'exported by', value: 'somebody' }],
};

export interface Contents {
  [collection: string]: Buffer[];
}

export const orders = Array.from({ length: 40 }, (_, n) => raw({ _id: n, text: 'x'.repeat(n % 7), n: n / 3 }));
export const contents: Contents = {
  orders,
  'a/b%.': [raw({ _id: 'only' })],
  empty: [],
  'system.js': [raw({ _id: 'f' })],
};

export async function withSnapshot(
  shown: Contents,
  more: (entries: CollectionEntry[]) => CollectionEntry[] = (all) => all,
): Promise<Repository> {
  const repository = await testRepository();
  const writer = new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId, parent: null });
  const entries: CollectionEntry[] = [];
  for (const [name, documents] of Object.entries(shown)) {
    const layer = writer.openLayer({ kind: 'base' });
    for (const document of documents) await layer.add(document);
    const info = raw({ name, type: 'collection', options: { collation: { locale: 'de' } }, info: {} });
    const indexes = [raw({ v: 2, key: { _id: 1 }, name: '_id_' })];
    entries.push({ ...collectionOf(name, [await layer.close()]), info, indexes });
  }
  await writer.commit(manifestOf(repository, snapshotId, more(entries)));
  return repository;
}

export const emptyOf = (name: string, changes: Partial<CollectionEntry>): CollectionEntry => ({
  ...collectionOf(name, []),
  info: raw({ name, options: {} }),
  ...changes,
});

export async function exportInto(
  store: ObjectStore,
  repository: Repository,
  changes: Partial<ExportSnapshotOptions> = {},
): Promise<ExportedSnapshot> {
  return await exportSnapshot({
    ...{ repository, clusterId: testClusterId, snapshotId, store, prefix, resumed: false, completed },
    transcoder: new InlineTranscoder(),
    limits: { blockBytes: 100, fileBytes: 350 },
    log: silentLogger,
    signal: new AbortController().signal,
    report: () => undefined,
    ...changes,
  });
}

export const bucket = (): MemoryStore => new MemoryStore(new FakeClock(), { objectKeys: 'any' });
export const sorted = (documents: readonly Buffer[]): string[] => documents.map((one) => one.toString('hex')).sort();

export function assertWhole(objects: ReadonlyMap<string, Buffer>, shown: Contents): void {
  const names: Record<string, string> = { 'a/b%.': 'a%2Fb%25%2E' };
  for (const [name, documents] of Object.entries(shown)) {
    const lines = exportedLines(objects, 'shop', names[name] ?? name);
    assert.deepEqual(sorted(documentsOfLines(lines)), sorted(documents), name);
  }
  assert.equal([...objects.keys()].filter((name) => name.endsWith('.complete')).length, 1);
}

export function sizeOf(shown: Contents): number {
  return Object.values(shown)
    .flat()
    .reduce((sum, document) => sum + document.length, 0);
}
