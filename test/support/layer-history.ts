import fc from 'fast-check';
import type { LayerRef } from '../../src/repository/format/manifest.ts';
import { type MergeOptions, readCollection } from '../../src/repository/layers/layers.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { SnapshotWriter } from '../../src/repository/writer.ts';
import { documentsIn, documentWith, idsOfEveryType, int32Id } from './raw-documents.ts';
import { collectionOf, testClusterId } from './test-repository.ts';

/** Long ones too: they outgrow a budget that was reckoned for short ones. */
const longIds = Array.from({ length: 20 }, (_, n) => {
  const length = Buffer.alloc(5, 0x02);
  length.writeInt32LE(101, 1);
  return Buffer.concat([length, Buffer.alloc(100, `${n} `), Buffer.alloc(1)]);
});
const ids = [...idsOfEveryType(), ...longIds, ...Array.from({ length: 20 }, (_, n) => int32Id(n + 100))];

/** What happened to an id between one layer and the next: new content, or null: it is gone. */
export interface Change {
  id: number;
  content: Uint8Array | null;
  idLast: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  id: fc.nat({ max: ids.length - 1 }),
  content: fc.option(fc.uint8Array({ maxLength: 60 }), { freq: 3 }),
  idLast: fc.boolean(),
});

/** Changes layer by layer, oldest first; within a layer an id occurs once. */
export const histories = fc.array(fc.uniqueArray(change, { selector: ({ id }) => id, maxLength: 40 }), {
  maxLength: 6,
});

const idOf = (index: number): Buffer => ids[index] as Buffer;

export async function writeChanges(
  writer: SnapshotWriter,
  changes: readonly Change[],
  kind: 'base' | 'delta',
): Promise<LayerRef> {
  const layer = writer.openLayer({ kind });
  for (const { id, content, idLast } of changes) {
    if (content !== null) await layer.add(documentWith(idOf(id), content, idLast));
    else if (kind === 'delta') await layer.addDeleted(idOf(id));
  }
  return await layer.close();
}

/** The same on a plain map of id to document, both in hex. */
export function applyChanges(model: Map<string, string>, changes: readonly Change[]): void {
  for (const { id, content, idLast } of changes) {
    const hex = idOf(id).toString('hex');
    if (content === null) model.delete(hex);
    else model.set(hex, documentWith(idOf(id), content, idLast).toString('hex'));
  }
}

/** Every document of the layers, newest first, as [id, document] in hex. */
export async function contentOf(
  repository: Repository,
  layers: LayerRef[],
  options: MergeOptions = {},
): Promise<[string, string][]> {
  const all: [string, string][] = [];
  for await (const buffer of readCollection(repository, testClusterId, collectionOf('x', layers), options)) {
    all.push(...documentsIn(buffer));
  }
  return all;
}
