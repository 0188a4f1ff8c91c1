import { findElement } from '../../bson/raw-bson.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { readOplogEntry } from '../../oplog/entry.ts';

/** A checkpoint's mark in the oplog of one replica set: a no-op entry that says whose it is. Pure. */
export interface CheckpointToken {
  shardName: string;
  replicaSetName: string;
  configServer: boolean;
  /** The time of its oplog entry. */
  ts: Timestamp64;
}

const MESSAGE = 'tidemark: checkpoint';

/** What is put into the oplog, as `o` of the entry. */
export function tokenNote(checkpointId: string): { msg: string; checkpointId: string } {
  return { msg: MESSAGE, checkpointId };
}

/** Whether this raw oplog entry is a token of that checkpoint. */
export function isTokenOf(entry: Buffer, checkpointId: string): boolean {
  const { op, o } = readOplogEntry(entry, 0);
  if (op !== 'n' || o === null) return false;
  return stringAt(entry, o.start, 'msg') === MESSAGE && stringAt(entry, o.start, 'checkpointId') === checkpointId;
}

const STRING = 0x02;

function stringAt(buffer: Buffer, document: number, name: string): string | null {
  const found = findElement(buffer, document, name);
  return found?.type === STRING ? buffer.toString('utf8', found.start + 4, found.end - 1) : null;
}
