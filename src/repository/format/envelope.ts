import { crc32 } from 'node:zlib';
import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';

/** What an object holds; the numbers are the format's. */
export const envelopeKind = {
  documents: 1,
  list: 2,
  manifest: 3,
  catalogCopy: 4,
  deleted: 5,
  slice: 6,
  gap: 7,
  shared: 8,
  section: 9,
  filters: 10,
} as const;
export type EnvelopeKind = (typeof envelopeKind)[keyof typeof envelopeKind];
/** The kinds that are content-addressed. */
export type BlobKind = 1 | 2 | 5 | 8 | 9 | 10;

export const ENVELOPE_HEADER_BYTES = 16;
/**
 * The header's part that is authenticated with the payload: all of it but the checksum, which covers the ciphertext.
 */
export const AUTHENTICATED_HEADER_BYTES = 12;

const MAGIC = 0x4b4d4454; // "TDMK", little-endian
const VERSION = 1;
const COMPRESSED = 1;
const ENCRYPTED = 2;

export interface EnvelopeHeader {
  kind: EnvelopeKind;
  compressed: boolean;
  encrypted: boolean;
  /** Bytes of the payload before compression. */
  plainBytes: number;
}

/** Writes the header, without its checksum, to the first 12 bytes of `object`. */
export function writeEnvelopeHeader(object: Buffer, header: EnvelopeHeader): void {
  assert(object.length >= ENVELOPE_HEADER_BYTES, 'an object has room for its header');
  assert(header.plainBytes >= 0 && header.plainBytes <= 0xffff_ffff, 'a payload length fits in 32 bits');
  object.writeUInt32LE(MAGIC, 0);
  object[4] = VERSION;
  object[5] = header.kind;
  object[6] = (header.compressed ? COMPRESSED : 0) | (header.encrypted ? ENCRYPTED : 0);
  object[7] = 0;
  object.writeUInt32LE(header.plainBytes, 8);
}

/** Fills in the checksum of an object whose header and body are complete. */
export function writeEnvelopeChecksum(object: Buffer): void {
  object.writeUInt32LE(checksumOf(object), 12);
}

function checksumOf(object: Buffer): number {
  const ofHeader = crc32(object.subarray(0, AUTHENTICATED_HEADER_BYTES));
  return crc32(object.subarray(ENVELOPE_HEADER_BYTES), ofHeader);
}

/**
 * The header and the body of an object, after every check that needs no key. `subject` names the object in the Damage.
 * An encrypted repository refuses an object that is not encrypted, so that nobody can slip one in.
 */
export function parseEnvelope(
  object: Buffer,
  expected: { kind: EnvelopeKind; encrypted: boolean },
  subject: string,
): { header: EnvelopeHeader; body: Buffer } {
  const damaged = (message: string): Damage => new Damage({ op: 'read object', subject, message });
  if (object.length < ENVELOPE_HEADER_BYTES)
    throw damaged(`${subject} is cut off: ${object.length} bytes are no envelope`);
  if (object.readUInt32LE(0) !== MAGIC) throw damaged(`${subject} is not a Tidemark object`);
  if (object[4] !== VERSION) throw damaged(`${subject} has envelope version ${object[4]}, known is ${VERSION}`);
  if (object[5] !== expected.kind) throw damaged(`${subject} is of kind ${object[5]}, expected ${expected.kind}`);
  const flags = object[6] as number;
  if ((flags & ~(COMPRESSED | ENCRYPTED)) !== 0 || object[7] !== 0) throw damaged(`${subject} has unknown flags`);
  const header: EnvelopeHeader = {
    kind: expected.kind,
    compressed: (flags & COMPRESSED) !== 0,
    encrypted: (flags & ENCRYPTED) !== 0,
    plainBytes: object.readUInt32LE(8),
  };
  if (header.encrypted !== expected.encrypted) {
    throw damaged(`${subject} is ${header.encrypted ? '' : 'not '}encrypted, its repository is the opposite`);
  }
  if (object.readUInt32LE(12) !== checksumOf(object)) throw damaged(`${subject} does not have its checksum`);
  return { header, body: object.subarray(ENVELOPE_HEADER_BYTES) };
}
