import type { Timestamp64 } from '../../bson/timestamp.ts';

/** `snapshot`: how a snapshot has it, where nothing captured says how it came to be so. */
export type HistoryOperation =
  | 'snapshot'
  | 'insert'
  | 'update'
  | 'replace'
  | 'delete'
  | 'dropCollection'
  | 'renameCollection'
  | 'emptyCollection';

export interface HistoryTransaction {
  /** Of the logical session: 32 hex digits. */
  sessionId: string;
  number: bigint;
}

/** What the document was from `at` on, until the next item of its collection. */
export interface DocumentVersion {
  kind: 'version';
  /** When it became visible. */
  at: Timestamp64;
  operation: HistoryOperation;
  /** The collection's name from `at` on, or the last one it had. */
  namespace: string;
  /** 32 hex digits. */
  uuid: string;
  transaction: HistoryTransaction | null;
  content: 'document' | 'absent' | 'unknown';
  /** Raw; null unless the content is a document. */
  document: Buffer | null;
  /** Why the content is unknown. */
  cause: string | null;
  /**
   * Of a sharded cluster: where it was written, or was found by a snapshot; null where that is nowhere, and of a
   * replica set.
   */
  shardName: string | null;
  /** Not a change of the document: a migration copied it to another shard, or removed what it had moved. */
  moved: boolean;
}

/**
 * A stretch of time about which nothing is known: what happened to the document then cannot be told. Null ends are
 * open.
 */
export interface UnknownStretch {
  kind: 'unknown';
  from: Timestamp64 | null;
  to: Timestamp64 | null;
  cause: string;
}

export type HistoryItem = DocumentVersion | UnknownStretch;

/** Where an item stands in a history. */
export function positionOf(item: HistoryItem): Timestamp64 {
  return item.kind === 'version' ? item.at : (item.from ?? 0n);
}
