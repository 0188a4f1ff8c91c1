import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { BlobRef } from './blob-list.ts';
import { JsonFields } from './json-fields.ts';
import { compareEntries, problemOfManifest } from './manifest-rules.ts';
import { decodeSealedLines, encodeSealedLines } from './sealed-lines.ts';

export interface LayerRef {
  kind: 'base' | 'delta';
  /** The snapshot that wrote the layer. */
  takenIn: string;
  documents: number;
  deleted: number;
  /** Plain bytes of the documents. */
  bytes: number;
  /** Bytes of the objects that hold the layer's documents and deletions, lists left out. */
  storedBytes: number;
  /**
   * The order of the documents is data (capped collections). Above an ordered base there is at most one delta, of
   * deletions only.
   */
  ordered: boolean;
  documentLists: BlobRef[];
  deletedLists: BlobRef[];
}

export interface CollectionEntry {
  /** Of a sharded snapshot: which of the header's replica sets holds it. Absent in a replica set's. */
  replicaSet?: number;
  db: string;
  name: string;
  type: 'collection' | 'view' | 'timeseries';
  /** 32 hex digits; null for views and time-series views. */
  uuid: string | null;
  /** The raw `listCollections` entry. */
  info: Buffer;
  /** The raw `listIndexes` documents. */
  indexes: Buffer[];
  /**
   * At T, after merging: exact where there is one layer, else reckoned from the oplog's inserts and deletes. For
   * people, never to verify by.
   */
  documents: number;
  bytes: number;
  /** Newest first. */
  layers: LayerRef[];
}

export interface ManifestRetention {
  description: string | null;
  snapshotType: string;
  frequencyType: string;
  /** RFC 3339, or null: kept until it is deleted. */
  expiresAt: string | null;
  policyItems: string[];
}

/** An entry of the oplog: its time and the election term it was written in. */
export interface ManifestOptime {
  t: number;
  i: number;
  term: number;
}

/** One replica set of a sharded snapshot: a shard or the config servers. */
export interface ManifestReplicaSet {
  /** 24 hex digits: how the API names what the snapshot has of it. */
  id: string;
  /** Its `_id` in config.shards; `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  replicaSetId: string | null;
  /**
   * The replica set's newest oplog entry at or before T: an incremental snapshot goes on only from that very entry. T
   * itself need not be an entry here.
   */
  position: ManifestOptime;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  collections: number;
  documents: number;
  bytes: number;
}

/** The first line, without `kind` and `version`, which the codec writes and checks. Times are RFC 3339 in UTC. */
export interface ManifestHeader {
  repositoryId: string;
  clusterId: string;
  clusterName: string;
  projectId: string;
  snapshotId: string;
  parentSnapshotId: string | null;
  type: 'replicaSet' | 'sharded';
  /** Of a sharded snapshot: that of the config servers. */
  replicaSetName: string;
  /**
   * Of the replica set's configuration; null where it may not be read. A parent of another replica set is no parent.
   */
  replicaSetId: string | null;
  /**
   * T, and the election term of the oplog entry at T: an incremental snapshot goes on only from that very entry. In a
   * sharded snapshot the highest term, which says nothing.
   */
  clusterTime: ManifestOptime;
  /**
   * Of one replica set of a sharded snapshot (`replicaSetManifest`): see ManifestReplicaSet. Never stored in the header
   * itself.
   */
  position?: ManifestOptime;
  /** Of a sharded snapshot, and of it alone: its replica sets, the config servers last. */
  replicaSets?: ManifestReplicaSet[];
  takenAt: string;
  finishedAt: string;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  collections: number;
  documents: number;
  bytes: number;
  writtenPlainBytes: number;
  writtenStoredBytes: number;
  retention: ManifestRetention;
}

export interface Manifest {
  header: ManifestHeader;
  collections: CollectionEntry[];
}

const VERSION = 1;

/** The payload of a manifest object. The collections are put in the format's order. */
export function encodeManifest(manifest: Manifest): Buffer {
  const collections = manifest.collections.toSorted(compareEntries);
  const problem = problemOfManifest({ header: manifest.header, collections });
  assert(problem === null, `a manifest to be written is consistent: ${problem}`);
  return encodeSealedLines(linesOf(manifest.header, collections));
}

function* linesOf(header: ManifestHeader, collections: readonly CollectionEntry[]): Generator<unknown> {
  yield { kind: 'header', version: VERSION, ...withStoredName(header, 'replicaSets', 'members') };
  for (const entry of collections) {
    yield {
      kind: 'collection',
      ...withStoredName(entry, 'replicaSet', 'member'),
      info: entry.info.toString('base64'),
      indexes: entry.indexes.map((index) => index.toString('base64')),
      layers: entry.layers.map((layer) => ({
        ...layer,
        documentLists: layer.documentLists.map(listRef),
        deletedLists: layer.deletedLists.map(listRef),
      })),
    };
  }
}

/** In the format replica sets are `members`, and the one that holds a collection is its `member`. */
function withStoredName(fields: object, name: string, storedName: string): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key === name ? storedName : key, value]));
}

function listRef({ id, snapshotId, kind, plainBytes, storedBytes }: BlobRef): BlobRef {
  assert(kind === 2, 'a manifest names list blobs only');
  return { id, snapshotId, kind, plainBytes, storedBytes };
}

/** The manifest, with every check that needs nothing but the payload. `subject` names the object in the Damage. */
export function decodeManifest(payload: Buffer, subject: string): Manifest {
  const [headerLine, ...collectionLines] = decodeSealedLines(payload, subject);
  const header = decodeHeader(new JsonFields(headerLine ?? null, `the header of ${subject}`));
  const collections = collectionLines.map((line, index) =>
    decodeCollection(new JsonFields(line, `line ${index + 2} of ${subject}`), header.type === 'sharded'),
  );
  const problem = problemOfManifest({ header, collections });
  if (problem !== null) throw new Damage({ op: 'read manifest', subject, message: `${subject}: ${problem}` });
  return { header, collections };
}

function decodeHeader(fields: JsonFields): ManifestHeader {
  if (fields.text('kind') !== 'header') throw fields.damaged('it is not a header');
  if (fields.count('version') !== VERSION) throw fields.damaged(`its version is not ${VERSION}`);
  const retention = fields.object('retention');
  const type = fields.oneOf('type', ['replicaSet', 'sharded']);
  return {
    repositoryId: fields.id('repositoryId'),
    clusterId: fields.id('clusterId'),
    clusterName: fields.text('clusterName'),
    projectId: fields.id('projectId'),
    snapshotId: fields.id('snapshotId'),
    parentSnapshotId: fields.textOrNull('parentSnapshotId') === null ? null : fields.id('parentSnapshotId'),
    type,
    replicaSetName: fields.text('replicaSetName'),
    replicaSetId: fields.textOrNull('replicaSetId'),
    clusterTime: decodeOptime(fields.object('clusterTime')),
    ...(type === 'sharded' ? { replicaSets: fields.objects('members').map(decodeReplicaSet) } : {}),
    takenAt: fields.time('takenAt'),
    finishedAt: fields.time('finishedAt'),
    mongodVersion: fields.text('mongodVersion'),
    featureCompatibilityVersion: fields.text('featureCompatibilityVersion'),
    collections: fields.count('collections'),
    documents: fields.count('documents'),
    bytes: fields.count('bytes'),
    writtenPlainBytes: fields.count('writtenPlainBytes'),
    writtenStoredBytes: fields.count('writtenStoredBytes'),
    retention: {
      description: retention.textOrNull('description'),
      snapshotType: retention.text('snapshotType'),
      frequencyType: retention.text('frequencyType'),
      expiresAt: retention.textOrNull('expiresAt') === null ? null : retention.time('expiresAt'),
      policyItems: retention.texts('policyItems'),
    },
  };
}

function decodeOptime(fields: JsonFields): ManifestOptime {
  return { t: fields.count('t', 0xffff_ffff), i: fields.count('i', 0xffff_ffff), term: fields.count('term') };
}

function decodeReplicaSet(fields: JsonFields): ManifestReplicaSet {
  return {
    id: fields.id('id'),
    shardName: fields.text('shardName'),
    configServer: fields.flag('configServer'),
    replicaSetName: fields.text('replicaSetName'),
    replicaSetId: fields.textOrNull('replicaSetId'),
    position: decodeOptime(fields.object('position')),
    mongodVersion: fields.text('mongodVersion'),
    featureCompatibilityVersion: fields.text('featureCompatibilityVersion'),
    collections: fields.count('collections'),
    documents: fields.count('documents'),
    bytes: fields.count('bytes'),
  };
}

function decodeCollection(fields: JsonFields, sharded: boolean): CollectionEntry {
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
    layers: fields.objects('layers').map(decodeLayer),
  };
}

function decodeLayer(fields: JsonFields): LayerRef {
  return {
    kind: fields.oneOf('kind', ['base', 'delta']),
    takenIn: fields.id('takenIn'),
    documents: fields.count('documents'),
    deleted: fields.count('deleted'),
    bytes: fields.count('bytes'),
    storedBytes: fields.count('storedBytes'),
    ordered: fields.flag('ordered'),
    documentLists: fields.objects('documentLists').map(decodeListRef),
    deletedLists: fields.objects('deletedLists').map(decodeListRef),
  };
}

function decodeListRef(fields: JsonFields): BlobRef {
  if (fields.count('kind') !== 2) throw fields.damaged('it names what is not a list');
  return {
    id: fields.hex('id', 64),
    snapshotId: fields.id('snapshotId'),
    kind: 2,
    plainBytes: fields.count('plainBytes', 0xffff_ffff),
    storedBytes: fields.count('storedBytes', 0xffff_ffff),
  };
}
