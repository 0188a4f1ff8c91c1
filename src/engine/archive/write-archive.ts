import { formatNamespace } from '../../bson/namespace.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { Crc64 } from '../../lib/crc64.ts';
import { Fault } from '../../lib/errors.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import type { Repository } from '../../repository/repository.ts';
import { takesDiffs } from '../restore-plan.ts';
import { type Ownership, ownedDocuments } from '../sharding/shard-routing.ts';
import {
  type CollectionMetadata,
  DOCUMENT_BYTES_MAX,
  encodeHeader,
  encodeMetadata,
  encodeNamespaceEnd,
  encodeNamespaceHeader,
  MAGIC,
  OPLOG,
  TERMINATOR,
} from './archive-format.ts';
import { archiveOplog } from './archive-oplog.ts';
import { type ArchiveContent, type ArchivePlan, planArchive } from './archive-plan.ts';
import type { ArchivePoint } from './archive-point.ts';
import { OrphansAtPoint, type OwnedAtPoint } from './orphans-at-point.ts';

export interface WriteArchiveOptions {
  repository: Repository;
  manifest: Manifest;
  /** What of a shard's collections is no orphan in the snapshot; all where left out. A point has its own. */
  ownership?: ((entry: CollectionEntry) => Ownership) | undefined;
  /** A later point than the snapshot's own. */
  point?: ArchivePoint | undefined;
  /** What `planOf` gave before: it reads every listing entry back, which is not done twice. */
  plan?: ArchivePlan;
  signal: AbortSignal;
  /** After every run of documents. */
  progress?: (done: ArchiveProgress) => void;
}

/** So far. */
export interface ArchiveProgress {
  namespace: string;
  bytes: number;
  collectionsDone: number;
  collectionsTotal: number;
}

/**
 * Changed whenever the bytes of an archive of the same snapshot change, so that nobody goes on with the second half of
 * another.
 */
export const ARCHIVE_WRITER = 'tidemark archive 5';
const BLOBS_AHEAD = 2;

/**
 * A snapshot, or a later point, as a mongodump archive (`docs/archive-format.md`), piece by piece as the reader takes
 * them: whole blobs pass through, nothing else is held. The bytes depend on the snapshot, the point and ARCHIVE_WRITER
 * alone, so that a download that broke off can be gone on with.
 */
export async function* writeArchive(options: WriteArchiveOptions): AsyncGenerator<Buffer, void, undefined> {
  const { manifest, point, signal } = options;
  const plan = planOf(options);
  yield* preludeOf({ ...options, plan });
  const done: ArchiveProgress = {
    namespace: '',
    bytes: 0,
    collectionsDone: 0,
    collectionsTotal: plan.contents.length,
  };
  const orphans = new OrphansAtPoint();
  for (const content of plan.contents) {
    done.namespace = `${content.db}.${content.name}`;
    yield* writeContent(content, documentsOf(content, options, orphans), options, done);
    done.collectionsDone++;
    options.progress?.(done);
  }
  if (point !== undefined) {
    done.namespace = OPLOG.name;
    const { mongodVersion, featureCompatibilityVersion } = manifest.header;
    const diffs = takesDiffs(featureCompatibilityVersion);
    yield* writeContent(OPLOG, archiveOplog({ ...point, diffs, mongodVersion, orphans, signal }), options, done);
  }
}

/** What the archive will hold, and what not because Extended JSON has no text for it. */
export function planOf({ manifest, point, plan }: Planned): ArchivePlan {
  return plan ?? planArchive(point?.collections ?? manifest.collections);
}

export type Planned = Pick<WriteArchiveOptions, 'manifest' | 'point' | 'plan'>;

/** What comes before the documents. */
export function* preludeOf(planned: Planned): Generator<Buffer, void, undefined> {
  const { metadata } = planOf(planned);
  const { mongodVersion } = planned.manifest.header;
  yield* prelude(planned.point === undefined ? metadata : [...metadata, OPLOG], mongodVersion);
}

function* prelude(listed: readonly CollectionMetadata[], serverVersion: string): Generator<Buffer, void, undefined> {
  yield MAGIC;
  yield encodeHeader({ serverVersion, toolVersion: ARCHIVE_WRITER });
  for (const metadata of listed) {
    const document = encodeMetadata(metadata);
    if (document.length > DOCUMENT_BYTES_MAX) {
      const namespace = `${metadata.db}.${metadata.name}`;
      throw new Fault({
        op: 'write archive',
        subject: namespace,
        message: `options and indexes of ${namespace} are larger than an archive can hold`,
        hint: 'Restore into a cluster instead: that has no such limit',
      });
    }
    yield document;
  }
  yield TERMINATOR;
}

async function* writeContent(
  { db, name }: { db: string; name: string },
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
  { signal, progress }: WriteArchiveOptions,
  done: ArchiveProgress,
): AsyncGenerator<Buffer, void, undefined> {
  const crc = new Crc64();
  let begun = false;
  for await (const documents of content) {
    throwIfAborted(signal);
    assert(documents.length > 0, 'a run has documents');
    if (!begun) yield encodeNamespaceHeader(db, name);
    begun = true;
    crc.update(documents);
    done.bytes += documents.length;
    yield documents;
    progress?.(done);
  }
  if (begun) yield TERMINATOR;
  yield encodeNamespaceEnd(db, name, crc.digest());
  yield TERMINATOR;
}

function documentsOf(
  { entry }: ArchiveContent,
  { repository, manifest, ownership, point, signal }: WriteArchiveOptions,
  orphans: OrphansAtPoint,
): AsyncIterable<Buffer> | Iterable<Buffer> {
  if (entry === null) return [];
  const held = point?.documents.get(entry);
  if (held !== undefined) return [held];
  const reading = { signal, prefetch: BLOBS_AHEAD, seed: ORDER_SEED };
  const documents = readCollection(repository, manifest.header.clusterId, entry, reading);
  if (point === undefined) return ownership === undefined ? documents : ownedDocuments(documents, ownership(entry));
  const namespace = formatNamespace(entry);
  if (point.routed?.none.has(namespace) === true) return [];
  const owned = point.routed?.some.get(namespace);
  return owned === undefined ? documents : lookedAt(documents, owned, orphans);
}

/** All of them, since what the oplog holds may be of any; those that are orphans in the end go at the end. */
async function* lookedAt(
  documents: AsyncIterable<Buffer>,
  owned: OwnedAtPoint,
  orphans: OrphansAtPoint,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const run of documents) {
    orphans.documents(run, owned);
    yield run;
  }
}

/**
 * Where memory makes a reader take several passes, it says which ids come in which: any number does, as long as it is
 * the same every time.
 */
const ORDER_SEED = 0x7469_6465;
