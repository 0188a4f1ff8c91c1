import { Type } from '@sinclair/typebox';
import { defineOperations, reading } from './operation.ts';
import { ClusterName, closed, ObjectId, Time, Words } from './primitives.ts';

/**
 * The history of one document, and a version of it written back. Atlas has no word for it. Documents and ids are
 * canonical Extended JSON.
 */

const EntryTime = Type.Object({ date: Time, increment: Type.Integer({ minimum: 0 }) }, closed);
const Namespace = Type.String({ pattern: '^[^.\\0]{1,63}\\.[^\\0]{1,255}$' });
const CollectionUuid = Type.String({ pattern: '^[a-f0-9]{32}$' });

export const DocumentVersion = Type.Object(
  {
    /** When it became visible. */
    at: EntryTime,
    collectionUuid: CollectionUuid,
    /** `unknown`: that it changed is known, not to what; `unknownBecause` says why. */
    content: Type.Union([Type.Literal('document'), Type.Literal('absent'), Type.Literal('unknown')]),
    document: Type.Optional(Type.Unknown()),
    kind: Type.Literal('version'),
    namespace: Type.String(),
    /** `snapshot`: a snapshot has it so, and nothing captured says how it came to be. */
    operation: Type.Union(
      (
        [
          'snapshot',
          'insert',
          'update',
          'replace',
          'delete',
          'dropCollection',
          'renameCollection',
          'emptyCollection',
        ] as const
      ).map((name) => Type.Literal(name)),
    ),
    /**
     * Of a sharded cluster: where it was written, or where a snapshot found it. Chunks that are moved make no versions.
     */
    shardName: Type.Optional(Type.String()),
    transaction: Type.Optional(
      Type.Object({ number: Type.String(), sessionId: Type.String({ pattern: '^[a-f0-9]{32}$' }) }, closed),
    ),
    unknownBecause: Type.Optional(Type.String()),
  },
  closed,
);

export const UnknownStretch = Type.Object(
  {
    cause: Type.String(),
    /** Null: since ever. */
    from: Type.Union([EntryTime, Type.Null()]),
    kind: Type.Literal('unknown'),
    /** Null: until now. */
    to: Type.Union([EntryTime, Type.Null()]),
  },
  closed,
);

export const DocumentHistory = Type.Object(
  {
    /** To be sent as `cursor` for what follows; null at the end. */
    next: Type.Union([Type.String(), Type.Null()]),
    results: Type.Array(Type.Union([DocumentVersion, UnknownStretch])),
  },
  closed,
);

const document = { id: Type.Unknown(), namespace: Namespace };

export const DocumentHistoryRequest = Type.Object({
  ...document,
  cursor: Type.Optional(Words),
  from: Type.Optional(Time),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  to: Type.Optional(Time),
});

export const DocumentRestoreRequest = Type.Object({
  ...document,
  /** The version in force then: the time of a version, or any other. */
  at: EntryTime,
  /** Needed where several collections bore the name. */
  collectionUuid: Type.Optional(CollectionUuid),
  /** Else a document with the same _id is left alone, and the answer is DOCUMENT_EXISTS. */
  overwrite: Type.Optional(Type.Boolean()),
  targetClusterName: Type.Optional(ClusterName),
  targetGroupId: Type.Optional(ObjectId),
  targetNamespace: Type.Optional(Namespace),
});

export const RestoredDocument = Type.Object(
  {
    result: Type.Union([Type.Literal('inserted'), Type.Literal('replaced')]),
    targetClusterName: Type.String(),
    targetGroupId: ObjectId,
    targetNamespace: Type.String(),
    version: DocumentVersion,
  },
  closed,
);

const cluster = '/api/tidemark/v1/groups/{groupId}/clusters/{clusterName}';
const recover = { scope: 'project', anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] } as const;
const plain = { negotiated: false, aliases: [], envelope: false, documents400: true } as const;

export const documentHistoryOperations = defineOperations({
  listDocumentHistory: {
    ...reading,
    ...plain,
    // The question has a document's id in it, which no URL holds well.
    method: 'POST',
    path: `${cluster}/documentHistory`,
    access: recover,
    versions: [{ date: '2023-01-01', request: DocumentHistoryRequest, response: DocumentHistory }],
    errorCodes: ['DOCUMENT_HISTORY_UNSUPPORTED'],
  },
  restoreDocument: {
    ...reading,
    ...plain,
    method: 'POST',
    path: `${cluster}/documentRestores`,
    access: recover,
    versions: [{ date: '2023-01-01', request: DocumentRestoreRequest, response: RestoredDocument }],
    errorCodes: [
      'ATLAS_CLUSTER_RESTORE_IN_PROGRESS',
      'CANNOT_RESTORE_TO_TARGET',
      'CLUSTER_PAUSED_CANNOT_RESTORE',
      'DOCUMENT_EXISTS',
      'DOCUMENT_HISTORY_UNSUPPORTED',
      'DOCUMENT_VERSION_NOT_FOUND',
      'DOCUMENT_VERSION_UNKNOWN',
    ],
  },
});
