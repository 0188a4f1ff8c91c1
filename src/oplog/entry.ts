import { type ElementAt, findElement, forEachElement, MalformedBson } from '../bson/raw-bson.ts';
import type { Timestamp64 } from '../bson/timestamp.ts';

/**
 * The fields of one oplog entry, read from raw bytes. What they mean is said by `operations.ts`. Source: the server's
 * oplog entry format.
 */
export interface OplogEntry {
  ts: Timestamp64;
  term: bigint;
  op: string;
  /** `db.collection`, or `db.$cmd` for commands. */
  ns: string;
  /** 32 hex digits, or null: commands on databases and no-ops have none. */
  uuid: string | null;
  /** Operation and its second part, where they lie in the entry's buffer. */
  o: ElementAt | null;
  o2: ElementAt | null;
  /** The entry before this one in the same transaction or chain of retryable writes; 0 where there is none. */
  previousTs: Timestamp64;
  /** Written by a migration of chunks, not by a client. */
  fromMigrate: boolean;
  /**
   * An `applyOps` that took effect by itself, whatever entry is before it: many documents inserted by one command, from
   * 8.0 on (`multiOpType: 1`).
   */
  appliedSeparately: boolean;
}

export function stringAt(buffer: Buffer, element: ElementAt): string {
  if (element.type !== 0x02) throw new MalformedBson('a string was expected in an oplog entry');
  return buffer.toString('utf8', element.start + 4, element.end - 1);
}

/** 32 hex digits. */
export function uuidAt(buffer: Buffer, element: ElementAt): string {
  if (element.type !== 0x05 || element.end - element.start !== 21) throw new MalformedBson('a UUID was expected');
  return buffer.toString('hex', element.start + 5, element.end);
}

export function isTrue(buffer: Buffer, element: ElementAt | null): boolean {
  return element !== null && element.type === 0x08 && buffer[element.start] === 1;
}

export function timestampAt(buffer: Buffer, element: ElementAt): Timestamp64 {
  return buffer.readBigUInt64LE(element.start);
}

/** An entry and the buffer in which its parts lie. */
export interface PositionedEntry {
  buffer: Buffer;
  entry: OplogEntry;
}

/** Reads the entry at `offset`. The buffer is kept by reference. */
export function readOplogEntry(buffer: Buffer, offset: number): OplogEntry {
  const nothing = { ts: 0n, term: -1n, op: '', ns: '', uuid: null, o: null, o2: null, previousTs: 0n };
  const entry: OplogEntry = { ...nothing, fromMigrate: false, appliedSeparately: false };
  forEachElement(buffer, offset, (name, element) => {
    switch (name) {
      case 'ts':
        entry.ts = timestampAt(buffer, element);
        break;
      case 't':
        entry.term = buffer.readBigInt64LE(element.start);
        break;
      case 'op':
        entry.op = buffer.toString('latin1', element.start + 4, element.end - 1);
        break;
      case 'ns':
        entry.ns = buffer.toString('utf8', element.start + 4, element.end - 1);
        break;
      case 'ui':
        entry.uuid = uuidAt(buffer, element);
        break;
      case 'o':
        entry.o = element;
        break;
      case 'o2':
        entry.o2 = element;
        break;
      case 'fromMigrate':
        entry.fromMigrate = isTrue(buffer, element);
        break;
      case 'multiOpType':
        entry.appliedSeparately = element.type === 0x10 && buffer.readInt32LE(element.start) === 1;
        break;
      case 'prevOpTime': {
        const ts = findElement(buffer, element.start, 'ts');
        if (ts !== null) entry.previousTs = timestampAt(buffer, ts);
        break;
      }
    }
    return true;
  });
  if (entry.ts === 0n || entry.op === '') throw new MalformedBson('an oplog entry without `ts` or `op`');
  return entry;
}

/**
 * Which transaction an entry belongs to: the same on every shard that takes part in it. Empty where it belongs to none.
 */
export function transactionOf(buffer: Buffer, offset: number): string {
  const session = findElement(buffer, offset, 'lsid');
  const number = findElement(buffer, offset, 'txnNumber');
  if (session === null || number === null) return '';
  return `${buffer.toString('hex', session.start, session.end)}/${buffer.toString('hex', number.start, number.end)}`;
}
