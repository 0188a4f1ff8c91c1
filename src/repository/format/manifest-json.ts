import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { BlobRef } from './blob-list.ts';
import { decodeEntry } from './entry-json.ts';
import { JsonFields } from './json-fields.ts';
import type { CollectionEntry, Manifest, ManifestHeader, ManifestOptime, ManifestReplicaSet } from './manifest.ts';
import { compareEntries, problemOfManifest } from './manifest-rules.ts';
import { decodeSealedLines, encodeSealedLines } from './sealed-lines.ts';

const VERSION = 2;

/** What a manifest object itself holds: of version 1 the collections, since then the sections that hold them. */
export interface ManifestParts {
  header: ManifestHeader;
  sections: BlobRef[];
  /** Of version 1 alone. */
  collections: CollectionEntry[] | null;
}

/** The collections in the format's order, after the check that the manifest is consistent as a whole. */
export function orderedCollections({ header, collections }: Manifest): CollectionEntry[] {
  const ordered = collections.toSorted(compareEntries);
  const problem = problemOfManifest({ header, collections: ordered });
  assert(problem === null, `a manifest to be written is consistent: ${problem}`);
  return ordered;
}

/** The payload of a manifest object, whose collections are in the sections. */
export function encodeManifest(header: ManifestHeader, sections: readonly BlobRef[]): Buffer {
  const lines = sections.map(({ id, snapshotId, kind, plainBytes, storedBytes, documents }) => {
    assert(kind === 9 && documents !== undefined, 'a manifest names sections, with the number of their collections');
    return { kind: 'section', id, snapshotId, plainBytes, storedBytes, documents };
  });
  return encodeSealedLines([{ kind: 'header', version: VERSION, ...withStoredNames(header) }, ...lines]);
}

/** In the format replica sets are `members`. */
function withStoredNames({ replicaSets, ...header }: ManifestHeader): object {
  return replicaSets === undefined ? header : { ...header, members: replicaSets };
}

/** Every check that needs nothing but the payload. `subject` names the object in the Damage. */
export function decodeManifest(payload: Buffer, subject: string): ManifestParts {
  const [headerLine, ...lines] = decodeSealedLines(payload, subject);
  const fields = new JsonFields(headerLine ?? null, `the header of ${subject}`);
  const header = decodeHeader(fields);
  const fieldsOf = (line: unknown, index: number) => new JsonFields(line, `line ${index + 2} of ${subject}`);
  if (fields.count('version') === 1) {
    const sharded = header.type === 'sharded';
    const collections = lines.map((line, index) => decodeEntry(fieldsOf(line, index), { sharded, shared: [] }));
    return { header, sections: [], collections };
  }
  return { header, sections: lines.map((line, index) => decodeSectionRef(fieldsOf(line, index))), collections: null };
}

/** The whole of a manifest that was read in parts; Damage where they do not agree. */
export function assembleManifest(
  { header, sections, collections }: ManifestParts,
  inSections: readonly CollectionEntry[],
  subject: string,
): Manifest {
  const manifest = { header, collections: collections ?? [...inSections] };
  const problem = problemOfManifest(manifest);
  if (problem !== null) throw new Damage({ op: 'read manifest', subject, message: `${subject}: ${problem}` });
  return sections.length === 0 ? manifest : { ...manifest, sections };
}

function decodeSectionRef(fields: JsonFields): BlobRef {
  if (fields.text('kind') !== 'section') throw fields.damaged('it is not a section');
  return {
    id: fields.hex('id', 64),
    snapshotId: fields.id('snapshotId'),
    kind: 9,
    plainBytes: fields.count('plainBytes', 0xffff_ffff),
    storedBytes: fields.count('storedBytes', 0xffff_ffff),
    documents: fields.count('documents'),
  };
}

function decodeHeader(fields: JsonFields): ManifestHeader {
  if (fields.text('kind') !== 'header') throw fields.damaged('it is not a header');
  const version = fields.count('version');
  if (version !== 1 && version !== VERSION) throw fields.damaged(`its version is neither 1 nor ${VERSION}`);
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
