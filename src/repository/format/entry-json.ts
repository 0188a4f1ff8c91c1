import { assert, must } from '../../lib/assert.ts';
import type { BlobRef } from './blob-list.ts';
import type { JsonFields } from './json-fields.ts';
import { objectOf, sequencesOf } from './layer-blobs.ts';
import type { CollectionEntry, LayerRef } from './manifest.ts';

/** What the extents of a section's collections lie in, by place. */
export class SharedTable {
  readonly blobs: BlobRef[] = [];
  readonly #places = new Map<string, number>();

  placeOf(blob: BlobRef): number {
    assert(blob.kind === 8, 'an extent lies in a shared blob');
    const name = `${blob.snapshotId}/${blob.id}`;
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    this.#places.set(name, this.blobs.length);
    return this.blobs.push(blob) - 1;
  }
}

/** A collection's line in a section. `shared` gets the shared blobs that its extents lie in. */
export function encodeEntry(entry: CollectionEntry, shared: SharedTable): object {
  const { replicaSet, db, name, type, uuid, info, indexes, documents, bytes, layers } = entry;
  return {
    kind: 'collection',
    ...(replicaSet === undefined ? {} : { member: replicaSet }),
    db,
    name,
    type,
    uuid,
    info: info.toString('base64'),
    indexes: indexes.map((index) => index.toString('base64')),
    documents,
    bytes,
    layers: layers.map((layer) => encodeLayer(layer, shared)),
  };
}

function encodeLayer(layer: LayerRef, shared: SharedTable): object {
  const { kind, takenIn, documents, deleted, bytes, storedBytes, ordered } = layer;
  const stored: Record<string, unknown> = { kind, takenIn, documents, deleted, bytes, storedBytes, ordered };
  for (const sequence of sequencesOf(layer)) {
    const name = sequence.kind === 1 ? 'document' : 'deleted';
    if (sequence.lists.length > 0) stored[`${name}Lists`] = sequence.lists.map(listRef);
    if (sequence.blob !== null) stored[`${name}Blob`] = blobRef(sequence.blob, shared);
    if (sequence.filter !== null) stored[`${name}Filter`] = sequence.filter.toString('base64');
    if (sequence.filters.length > 0) stored[`${name}Filters`] = sequence.filters.map(filtersRef);
  }
  return stored;
}

function listRef({ id, snapshotId, kind, plainBytes, storedBytes }: BlobRef): object {
  assert(kind === 2, 'a layer names its blobs in lists');
  return { id, snapshotId, kind, plainBytes, storedBytes };
}

function filtersRef({ id, snapshotId, kind, plainBytes, storedBytes, documents }: BlobRef): object {
  assert(kind === 10, 'filters are in blobs of filters');
  return { id, snapshotId, plainBytes, storedBytes, documents };
}

function blobRef(ref: BlobRef, shared: SharedTable): object {
  const { id, snapshotId, plainBytes, storedBytes, documents, within } = ref;
  if (within === undefined) return { id, snapshotId, plainBytes, storedBytes, documents };
  return { id, shared: shared.placeOf(objectOf(ref)), at: within.at, plainBytes, documents };
}

/** A collection's line, of a section or of a manifest of version 1, which has no shared blobs. */
export function decodeEntry(
  fields: JsonFields,
  { sharded, shared }: { sharded: boolean; shared: readonly BlobRef[] },
): CollectionEntry {
  if (fields.text('kind') !== 'collection') throw fields.damaged('it is not a collection');
  return {
    ...(sharded ? { replicaSet: fields.count('member') } : {}),
    db: fields.text('db'),
    name: fields.text('name'),
    type: fields.oneOf('type', ['collection', 'view', 'timeseries']),
    uuid: fields.textOrNull('uuid') === null ? null : fields.hex('uuid', 32),
    info: fields.base64('info'),
    indexes: fields.base64List('indexes'),
    documents: fields.count('documents'),
    bytes: fields.count('bytes'),
    layers: fields.objects('layers').map((layer) => decodeLayer(layer, shared)),
  };
}

function decodeLayer(fields: JsonFields, shared: readonly BlobRef[]): LayerRef {
  return {
    kind: fields.oneOf('kind', ['base', 'delta']),
    takenIn: fields.id('takenIn'),
    documents: fields.count('documents'),
    deleted: fields.count('deleted'),
    bytes: fields.count('bytes'),
    storedBytes: fields.count('storedBytes'),
    ordered: fields.flag('ordered'),
    documentLists: decodeLists(fields, 'documentLists'),
    deletedLists: decodeLists(fields, 'deletedLists'),
    ...(fields.has('documentBlob') ? { documentBlob: decodeSingle(fields.object('documentBlob'), 1, shared) } : {}),
    ...(fields.has('deletedBlob') ? { deletedBlob: decodeSingle(fields.object('deletedBlob'), 5, shared) } : {}),
    ...(fields.has('documentFilter') ? { documentFilter: decodeFilter(fields, 'documentFilter') } : {}),
    ...(fields.has('deletedFilter') ? { deletedFilter: decodeFilter(fields, 'deletedFilter') } : {}),
    ...(fields.has('documentFilters') ? { documentFilters: decodeFilterRefs(fields, 'documentFilters') } : {}),
    ...(fields.has('deletedFilters') ? { deletedFilters: decodeFilterRefs(fields, 'deletedFilters') } : {}),
  };
}

function decodeLists(fields: JsonFields, name: string): BlobRef[] {
  return fields.has(name) ? fields.objects(name).map(decodeListRef) : [];
}

function decodeListRef(fields: JsonFields): BlobRef {
  if (fields.count('kind') !== 2) throw fields.damaged('it names what is not a list');
  return decodeBlobRef(fields, 2);
}

function decodeFilter(fields: JsonFields, name: string): Buffer {
  const filter = fields.base64(name);
  if (filter.length === 0) throw fields.damaged(`\`${name}\` is empty`);
  return filter;
}

function decodeFilterRefs(fields: JsonFields, name: string): BlobRef[] {
  return fields.objects(name).map((each) => ({ ...decodeBlobRef(each, 10), documents: each.count('documents') }));
}

/** A blob that has an object. */
export function decodeBlobRef(fields: JsonFields, kind: BlobRef['kind']): BlobRef {
  return {
    id: fields.hex('id', 64),
    snapshotId: fields.id('snapshotId'),
    kind,
    plainBytes: fields.count('plainBytes', 0xffff_ffff),
    storedBytes: fields.count('storedBytes', 0xffff_ffff),
  };
}

function decodeSingle(fields: JsonFields, kind: 1 | 5, shared: readonly BlobRef[]): BlobRef {
  const documents = fields.count('documents', 0xffff_ffff);
  if (!fields.has('shared')) return { ...decodeBlobRef(fields, kind), documents };
  const place = fields.count('shared');
  if (place >= shared.length) throw fields.damaged('it lies in a shared blob that its section does not name');
  const blob = must(shared[place], 'a place of the table');
  const [at, plainBytes] = [fields.count('at', 0xffff_ffff), fields.count('plainBytes', 0xffff_ffff)];
  if (at + plainBytes > blob.plainBytes) throw fields.damaged('it does not lie within its shared blob');
  const { snapshotId } = blob;
  return { id: fields.hex('id', 64), snapshotId, kind, plainBytes, storedBytes: 0, documents, within: { blob, at } };
}
