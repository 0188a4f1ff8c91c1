import { type Document, deserialize, serialize } from 'bson';
import type { CollectionEntry, Manifest } from '../../src/repository/format/manifest.ts';

/** Of a listing entry, or of an index. */
export type Change = (entry: Document) => void;

/** The snapshot with other options and indexes, as another server might have held them. */
export function altered(
  manifest: Manifest,
  changes: Readonly<Record<string, { info?: Change; indexes?: Change }>>,
): Manifest {
  const apply = (raw: Buffer, change: Change | undefined): Buffer => {
    if (change === undefined) return raw;
    const document = deserialize(raw, { promoteValues: false });
    change(document);
    return Buffer.from(serialize(document));
  };
  const collections = manifest.collections.map((entry): CollectionEntry => {
    const change = changes[`${entry.db}.${entry.name}`];
    const indexes = entry.indexes.map((index) => apply(index, change?.indexes));
    return { ...entry, info: apply(entry.info, change?.info), indexes };
  });
  return { ...manifest, collections };
}
