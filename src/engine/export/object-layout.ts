import { assert } from '../../lib/assert.ts';

/**
 * Where the objects of an export lie: `docs/exports.md`, Layout. Pure. The parts are Atlas's, so that what reads its
 * exports reads these.
 */

export const PERMISSION_CHECK = 'exported_snapshots/.permissioncheck';
/** Stores take no longer key. */
const OBJECT_KEY_BYTES_MAX = 1024;

export interface ExportName {
  /** Ids, or names by `exportNamePart`. */
  organization: string;
  project: string;
  clusterName: string;
  snapshotMs: number;
  /** When the job was made, in whole seconds: two exports of one snapshot differ in this alone. */
  jobSeconds: number;
}

/** `exported_snapshots/<org>/<project>/<cluster>/<snapshot time>/<job time>`, without a slash at either end. */
export function exportPrefix({ organization, project, clusterName, snapshotMs, jobSeconds }: ExportName): string {
  assert(Number.isInteger(jobSeconds), 'a job has its time in whole seconds');
  const minute = new Date(snapshotMs).toISOString().slice(0, 16).replace(/:/g, '');
  return ['exported_snapshots', organization, project, clusterName, minute, String(jobSeconds)].join('/');
}

/**
 * A name as a part of a prefix: spaces become `_`, and only what every store takes without special handling stays. A
 * name of which nothing stays is `_`. Azure drops dots at the end of a part by itself, whatever it is told, so there
 * they are left out to begin with: everybody then knows the key by one name.
 */
export function exportNamePart(name: string, { dotsAtEnd }: { dotsAtEnd: boolean }): string {
  const taken = name.replaceAll(' ', '_').replace(/[^A-Za-z0-9!_.*'()-]/g, '');
  const kept = dotsAtEnd ? taken : taken.replace(/\.+$/, '');
  return kept === '' || kept === '.' || kept === '..' ? '_' : kept;
}

export function dataFileKey(
  prefix: string,
  namespace: ExportedNamespace,
  replicaSetName: string,
  number: number,
): string {
  return withinBounds(`${collectionPrefix(prefix, namespace)}/${segment(replicaSetName)}.${number}.json.gz`);
}

export function metadataKey(prefix: string, namespace: ExportedNamespace): string {
  return withinBounds(`${collectionPrefix(prefix, namespace)}/metadata.json`);
}

export function completeKey(prefix: string): string {
  return `${prefix}/.complete`;
}

export interface ExportedNamespace {
  db: string;
  name: string;
}

function collectionPrefix(prefix: string, { db, name }: ExportedNamespace): string {
  return `${prefix}/${segment(db)}/${segment(name)}`;
}

/**
 * One part of a key. What would make it several parts or none, or what a store refuses (Azure: a dot at a part's end),
 * is percent-encoded, and the percent sign with it; `mongorestore` decodes file names the same way. So no two names
 * meet.
 */
function segment(name: string): string {
  const escaped = name.replace(/[%/\\\p{Cc}]/gu, encodeURIComponent);
  return escaped.replace(/\.+$/, (dots) => '%2E'.repeat(dots.length));
}

function withinBounds(objectKey: string): string {
  assert(Buffer.byteLength(objectKey) <= OBJECT_KEY_BYTES_MAX, `${objectKey} is longer than an object key can be`);
  return objectKey;
}
