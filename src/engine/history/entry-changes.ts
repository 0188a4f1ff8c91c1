import { formatNamespace } from '../../bson/namespace.ts';
import { type ElementAt, findElement, findId } from '../../bson/raw-bson.ts';
import { type OplogEntry, stringAt, uuidAt } from '../../oplog/entry.ts';
import { forEachOperation, handlingOf, meaningOf, type Operation } from '../../oplog/operations.ts';
import type { Change } from './document-trails.ts';
import type { HistoryTransaction } from './history-item.ts';
import type { IdMatcher } from './same-id.ts';

/** What an entry, or the operations within it, change about the document. Copies what it keeps: the buffer may go. */
export function changesOf(buffer: Buffer, entry: OplogEntry, matches: IdMatcher): Change[] {
  const changes: Change[] = [];
  forEachOperation(buffer, entry, (operation) => {
    const change = operation.op === 'c' ? commandChange(buffer, operation) : writeChange(buffer, operation, matches);
    if (change !== null) changes.push(change);
  });
  return changes;
}

function writeChange(buffer: Buffer, operation: Operation, matches: IdMatcher): Change | null {
  const { op, namespace, uuid, o, o2, fromMigrate } = operation;
  if (handlingOf(operation) === 'unknown') return { kind: 'unknown', uuid, command: op };
  if (uuid === null || (op !== 'i' && op !== 'u' && op !== 'd')) return null;
  const id = findId(buffer, op === 'u' && o2 !== null ? o2.start : o.start);
  if (id === null || !matches(buffer, id)) return null;
  return { kind: 'write', op, namespace: formatNamespace(namespace), uuid, o: copyOf(buffer, o), fromMigrate };
}

function commandChange(buffer: Buffer, operation: Operation): Change | null {
  const { uuid, command, o, namespace } = operation;
  const { history } = meaningOf(command);
  if (history === 'unknown') return { kind: history, uuid, command };
  if (uuid === null) return null;
  switch (history) {
    case 'collectionCreated': {
      const name = findElement(buffer, o.start, command);
      if (name === null) return null;
      return { kind: history, uuid, namespace: `${namespace.db}.${stringAt(buffer, name)}` };
    }
    case 'collectionDropped':
    case 'collectionEmptied':
      return { kind: history, uuid };
    case 'collectionRenamed': {
      const to = findElement(buffer, o.start, 'to');
      const target = findElement(buffer, o.start, 'dropTarget');
      if (to === null) return null;
      return {
        kind: history,
        uuid,
        to: stringAt(buffer, to),
        dropped: target?.type === 0x05 ? uuidAt(buffer, target) : null,
      };
    }
    default:
      return null;
  }
}

function copyOf(buffer: Buffer, { start, end }: ElementAt): Buffer {
  return Buffer.from(buffer.subarray(start, end));
}

/**
 * The transaction that the entry is part of; null for retryable writes, which look alike but take effect one by one.
 */
export function transactionOf(buffer: Buffer, offset: number, entry: OplogEntry): HistoryTransaction | null {
  if (entry.op !== 'c') return null;
  const session = findElement(buffer, offset, 'lsid');
  const number = findElement(buffer, offset, 'txnNumber');
  if (session === null || number?.type !== 0x12) return null;
  const multi = findElement(buffer, offset, 'multiOpType');
  if (multi?.type === 0x10 && buffer.readInt32LE(multi.start) !== 0) return null;
  const id = findElement(buffer, session.start, 'id');
  if (id === null) return null;
  return { sessionId: uuidAt(buffer, id), number: buffer.readBigInt64LE(number.start) };
}
