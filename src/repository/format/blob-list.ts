import { crc32 } from 'node:zlib';
import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { BlobKind } from './envelope.ts';

export const RECORD_BYTES = 60;
export const RECORDS_PER_LIST_MAX = 131_072;
const CRC_AT = 56;

/**
 * A blob as a list or a manifest names it. Its object lies under `snapshotId`, the snapshot that first wrote it. An
 * extent of a shared blob is named like the blob that its bytes would make (kind 1 or 5), and has no object of its own.
 */
export interface BlobRef {
  /** 64 hex digits. */
  id: string;
  /** 24 hex digits. */
  snapshotId: string;
  kind: BlobKind;
  plainBytes: number;
  /** Bytes of the object, envelope included; 0 of an extent. */
  storedBytes: number;
  /** Of kinds 1, 5 and 8; of a section the number of its collections, of filters the number of their blobs. */
  documents?: number;
  /** Of an extent: where it is. */
  within?: ExtentPlace;
}

export interface ExtentPlace {
  /** The shared blob; null until it is acknowledged, while a snapshot is written. */
  blob: BlobRef | null;
  /** Offset in its payload. */
  at: number;
}

export function writeRecord(list: Buffer, index: number, ref: BlobRef): void {
  const at = index * RECORD_BYTES;
  assert(at + RECORD_BYTES <= list.length, 'a record fits in its list');
  assert(ref.id.length === 64 && ref.snapshotId.length === 24, 'a blob reference has whole ids');
  assert(ref.within === undefined, 'a list names objects, not extents');
  list.write(ref.id, at, 'hex');
  list.write(ref.snapshotId, at + 32, 'hex');
  list.writeUInt32LE(ref.plainBytes, at + 44);
  list.writeUInt32LE(ref.storedBytes, at + 48);
  list.writeUInt32LE(ref.documents ?? 0, at + 52);
  list.writeUInt32LE(crc32(list.subarray(at, at + CRC_AT)), at + CRC_AT);
}

/** Record `index`, without looking at its checksum: for lists that `countRecords` has passed. */
export function readRecord(list: Buffer, index: number, kind: BlobKind): BlobRef {
  const at = index * RECORD_BYTES;
  return {
    id: list.toString('hex', at, at + 32),
    snapshotId: list.toString('hex', at + 32, at + 44),
    kind,
    plainBytes: list.readUInt32LE(at + 44),
    storedBytes: list.readUInt32LE(at + 48),
    documents: list.readUInt32LE(at + 52),
  };
}

/** The number of records of a list's payload, every one of them checked. */
export function countRecords(list: Buffer, subject: string): number {
  const damaged = (message: string): Damage => new Damage({ op: 'read list', subject, message });
  const count = list.length / RECORD_BYTES;
  if (!Number.isInteger(count) || count === 0 || count > RECORDS_PER_LIST_MAX) {
    throw damaged(`${subject} has ${list.length} bytes, which is no list`);
  }
  for (let at = 0; at < list.length; at += RECORD_BYTES) {
    if (list.readUInt32LE(at + CRC_AT) !== crc32(list.subarray(at, at + CRC_AT))) {
      throw damaged(`record ${at / RECORD_BYTES} of ${subject} does not have its checksum`);
    }
  }
  return count;
}

/** The payload of one list. */
export function encodeList(refs: readonly BlobRef[]): Buffer {
  assert(refs.length > 0 && refs.length <= RECORDS_PER_LIST_MAX, 'a list has 1 to 131,072 records');
  const list = Buffer.allocUnsafeSlow(refs.length * RECORD_BYTES);
  for (const [index, ref] of refs.entries()) writeRecord(list, index, ref);
  return list;
}

/** The blobs that a list's payload names, in order; `kind` is that of the sequence the list belongs to. */
export function decodeList(list: Buffer, kind: BlobKind, subject: string): BlobRef[] {
  const count = countRecords(list, subject);
  return Array.from({ length: count }, (_, index) => readRecord(list, index, kind));
}
