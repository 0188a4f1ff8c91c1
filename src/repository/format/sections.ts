import { Damage } from '../../lib/errors.ts';
import { murmur3 } from '../../lib/murmur.ts';
import { decodeBlobRef, decodeEntry, encodeEntry, SharedTable } from './entry-json.ts';
import { JsonFields } from './json-fields.ts';
import type { CollectionEntry } from './manifest.ts';

const VERSION = 2;
const COLLECTIONS_MIN = 64;
const COLLECTIONS_MAX = 256;
/** Of the collections past the least that a section has, one in so many ends it. */
const BOUNDARY_EVERY = 64;
const BYTES_MAX = 1 << 20;

/** A section's payload and the number of its collections. */
export interface EncodedSection {
  payload: Buffer;
  collections: number;
}

/**
 * The collections, in their order, cut into sections (`docs/repository-format.md`, Manifest): where depends on their
 * names, so that what did not change is the same section again.
 */
export function* encodeSections(collections: Iterable<CollectionEntry>, seed: number): Generator<EncodedSection> {
  let lines: string[] = [];
  let shared = new SharedTable();
  let bytes = 0;
  const end = (): EncodedSection => {
    const blobs = shared.blobs.map(({ id, snapshotId, plainBytes, storedBytes, documents }) => {
      return { id, snapshotId, plainBytes, storedBytes, documents };
    });
    const first = JSON.stringify({ kind: 'section', version: VERSION, shared: blobs });
    const payload = Buffer.from(`${[first, ...lines].join('\n')}\n`);
    const section = { payload, collections: lines.length };
    [lines, shared, bytes] = [[], new SharedTable(), 0];
    return section;
  };
  for (const entry of collections) {
    const line = JSON.stringify(encodeEntry(entry, shared));
    lines.push(line);
    bytes += line.length;
    const isBoundary = lines.length >= COLLECTIONS_MIN && endsSection(entry, seed);
    if (isBoundary || lines.length === COLLECTIONS_MAX || bytes >= BYTES_MAX) yield end();
  }
  if (lines.length > 0) yield end();
}

function endsSection({ replicaSet = 0, db, name }: CollectionEntry, seed: number): boolean {
  const text = Buffer.from(`${replicaSet}\0${db}\0${name}`);
  return murmur3(text, text[0] as number, 1, text.length, seed) % BOUNDARY_EVERY === 0;
}

/** The collections of a section's payload. `subject` names the object in the Damage. */
export function decodeSection(payload: Buffer, options: { sharded: boolean; subject: string }): CollectionEntry[] {
  const { sharded, subject } = options;
  const [first, ...lines] = linesOf(payload, subject);
  const head = new JsonFields(first ?? null, `the first line of ${subject}`);
  if (head.text('kind') !== 'section' || head.count('version') !== VERSION)
    throw head.damaged(`it is not that of a section of version ${VERSION}`);
  const shared = head.objects('shared').map((fields) => {
    return { ...decodeBlobRef(fields, 8), documents: fields.count('documents', 0xffff_ffff) };
  });
  return lines.map((line, index) =>
    decodeEntry(new JsonFields(line, `line ${index + 2} of ${subject}`), { sharded, shared }),
  );
}

function linesOf(payload: Buffer, subject: string): unknown[] {
  try {
    return payload
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  } catch (cause) {
    throw new Damage({ op: 'read section', subject, message: `${subject} holds a line that is not JSON`, cause });
  }
}
