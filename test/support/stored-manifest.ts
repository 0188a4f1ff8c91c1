import { createHash } from 'node:crypto';
import { must } from '../../src/lib/assert.ts';
import type { BlobRef } from '../../src/repository/format/blob-list.ts';
import type { CollectionEntry, Manifest } from '../../src/repository/format/manifest.ts';
import {
  assembleManifest,
  decodeManifest,
  encodeManifest,
  orderedCollections,
} from '../../src/repository/format/manifest-json.ts';
import { decodeSection, encodeSections } from '../../src/repository/format/sections.ts';

/** A manifest as it is stored: the payloads of its object and of its sections, by id. */
export interface StoredManifest {
  payload: Buffer;
  sections: Map<string, Buffer>;
}

export function storedManifest(manifest: Manifest, seed = 1): StoredManifest {
  const sections = new Map<string, Buffer>();
  const refs: BlobRef[] = [];
  for (const { payload, collections } of encodeSections(orderedCollections(manifest), seed)) {
    const id = createHash('sha256').update(payload).digest('hex');
    sections.set(id, payload);
    const { snapshotId } = manifest.header;
    refs.push({ id, snapshotId, kind: 9, plainBytes: payload.length, storedBytes: 1, documents: collections });
  }
  return { payload: encodeManifest(manifest.header, refs), sections };
}

export function readStored({ payload, sections }: StoredManifest, subject: string): Manifest {
  const parts = decodeManifest(payload, subject);
  const sharded = parts.header.type === 'sharded';
  const collections = parts.sections.flatMap(({ id }): CollectionEntry[] =>
    decodeSection(must(sections.get(id), 'a section that is named'), { sharded, subject }),
  );
  return assembleManifest(parts, collections, subject);
}
