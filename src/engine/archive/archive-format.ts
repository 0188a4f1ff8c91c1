import { documentOf } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';

/** The parts of a mongodump archive, as `docs/archive-format.md` has them. */

export const MAGIC = Buffer.from([0x6d, 0xe2, 0x99, 0x81]);
export const TERMINATOR = Buffer.from([0xff, 0xff, 0xff, 0xff]);
/** The tools read a document into a buffer of this size. */
export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;

export interface ArchiveHeader {
  /** Of the server that was backed up: readers parse it. */
  serverVersion: string;
  /** Who wrote the archive. For people. */
  toolVersion: string;
}

/** One collection, view or time series, as the beginning of an archive lists it; or the oplog. */
export interface CollectionMetadata {
  db: string;
  name: string;
  type: 'collection' | 'view' | 'timeseries' | '';
  /** Options and indexes, as text in canonical Extended JSON. */
  metadata: string;
  /** Of its documents, as a hint for progress bars. */
  bytes: number;
}

/** Of a point in time: by its name readers know it. It has to come last, as it is only then that they look for it. */
export const OPLOG: CollectionMetadata = { db: '', name: 'oplog', type: '', metadata: '', bytes: 0 };

export function encodeHeader({ serverVersion, toolVersion }: ArchiveHeader): Buffer {
  return documentOf([
    // Collections stand one after another here, so reading several at once would only wait.
    { name: 'concurrent_collections', type: 0x10, value: int32(1) },
    { name: 'version', type: 0x02, value: string('0.1') },
    { name: 'server_version', type: 0x02, value: string(serverVersion) },
    { name: 'tool_version', type: 0x02, value: string(toolVersion) },
  ]);
}

export function encodeMetadata({ db, name, type, metadata, bytes }: CollectionMetadata): Buffer {
  assert(Number.isSafeInteger(bytes) && bytes >= 0, 'a size is a whole number');
  const small = bytes <= 0x7fffffff;
  return documentOf([
    { name: 'db', type: 0x02, value: string(db) },
    { name: 'collection', type: 0x02, value: string(name) },
    { name: 'metadata', type: 0x02, value: string(metadata) },
    { name: 'size', type: small ? 0x10 : 0x12, value: small ? int32(bytes) : int64(BigInt(bytes)) },
    { name: 'type', type: 0x02, value: string(type) },
  ]);
}

/** Begins a run of a namespace's documents. */
export function encodeNamespaceHeader(db: string, name: string): Buffer {
  return encodeBlockHeader(db, name, false, { low: 0, high: 0 });
}

/** Ends a namespace: `crc` is of all its documents. */
export function encodeNamespaceEnd(db: string, name: string, crc: { low: number; high: number }): Buffer {
  return encodeBlockHeader(db, name, true, crc);
}

function encodeBlockHeader(db: string, name: string, end: boolean, crc: { low: number; high: number }): Buffer {
  const sum = Buffer.alloc(8);
  sum.writeUInt32LE(crc.low, 0);
  sum.writeUInt32LE(crc.high, 4);
  return documentOf([
    { name: 'db', type: 0x02, value: string(db) },
    { name: 'collection', type: 0x02, value: string(name) },
    { name: 'EOF', type: 0x08, value: Buffer.from([end ? 1 : 0]) },
    { name: 'CRC', type: 0x12, value: sum },
  ]);
}

function string(text: string): Buffer {
  const value = Buffer.alloc(Buffer.byteLength(text) + 5);
  value.writeInt32LE(value.length - 4, 0);
  value.write(text, 4, 'utf8');
  return value;
}

function int32(value: number): Buffer {
  assert(Number.isInteger(value) && value >= 0, 'a count is a whole number');
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value, 0);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value, 0);
  return bytes;
}
