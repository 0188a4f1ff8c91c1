import { idOfExtendedJson } from '../../bson/document-id.ts';
import { isTaken, type Namespace, parseNamespace } from '../../bson/namespace.ts';
import { formatTimestamp, type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { findCapture } from '../../catalog/captures.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { uriContext } from '../../catalog/clusters.ts';
import { clustersBeingRestored } from '../../catalog/restore-jobs.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { decodeSnapshotReplicaSets, snapshotsOfCluster } from '../../catalog/snapshots.ts';
import { canonicalJson } from '../../engine/export/extended-json.ts';
import type { DocumentVersion, HistoryItem, UnknownStretch } from '../../engine/history/history-item.ts';
import type { HistoryShard } from '../../engine/history/read-sharded-history.ts';
import { must } from '../../lib/assert.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { DomainContext } from '../context.ts';
import { decodeCapturedReplicaSets, knownSnapshots } from '../continuous-backup/captured-replica-sets.ts';
import type { KnownSnapshot } from '../continuous-backup/point-in-time.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { type Refusal, refuse } from '../refusals/refusals.ts';
import { formatCursor, historyPage, parseCursor } from './history-page.ts';

/** What is asked of the repository, and of the cluster that a version is written to. */
export interface DocumentHistoryEngine {
  history(request: {
    clusterId: string;
    /** Of a replica set; null of a sharded cluster. */
    replicaSetName: string | null;
    /** Of a sharded cluster, in order of name, the config servers left out. */
    shards: readonly HistoryShard[];
    namespace: Namespace;
    /** The id element. */
    id: Buffer;
    snapshots: readonly KnownSnapshot[];
    from: Timestamp64;
    to: Timestamp64;
    signal: AbortSignal;
    report: ReportProgress;
  }): AsyncIterable<HistoryItem>;
  put(request: {
    uri: string;
    namespace: Namespace;
    document: Buffer;
    overwrite: boolean;
    signal: AbortSignal;
  }): Promise<'inserted' | 'replaced' | 'exists'>;
}

interface DocumentName extends ClusterName {
  /** `database.collection`. */
  namespace: string;
  /** The `_id`, a value of Extended JSON. */
  id: unknown;
}

interface Work {
  signal: AbortSignal;
  report?: ReportProgress;
}

export interface HistoryRequest extends DocumentName, Work {
  fromMs?: number;
  toMs?: number;
  /** As the page before gave it. */
  cursor?: string;
  limit: number;
}

export interface VersionRequest extends DocumentName, Work {
  /** The version in force then. */
  at: Timestamp64;
  /** Of this collection, where several bore the name: 32 hex digits. */
  collectionUuid?: string;
}

export interface DocumentRestoreRequest extends VersionRequest {
  targetProjectId?: string;
  targetClusterName?: string;
  targetNamespace?: string;
  overwrite: boolean;
}

/** A version for people: the document as canonical Extended JSON, null where there is none or it is not known. */
export type ShownVersion = Omit<DocumentVersion, 'document' | 'moved'> & { documentJson: string | null };

export interface RestoredDocument {
  version: ShownVersion;
  targetProjectId: string;
  targetClusterName: string;
  targetNamespace: string;
  result: 'inserted' | 'replaced';
}

export interface DocumentHistory {
  /** One page, oldest first. */
  list(request: HistoryRequest): Promise<{ items: (ShownVersion | UnknownStretch)[]; next: string | null }>;
  /** The one version that a restore would write. */
  version(request: VersionRequest): Promise<ShownVersion>;
  /** Writes one version into a collection. */
  restore(request: DocumentRestoreRequest): Promise<RestoredDocument>;
}

/** The newest time that there is. */
const END_OF_TIME = (1n << 63n) - 1n;

export function createDocumentHistory(context: DomainContext, engine: DocumentHistoryEngine): DocumentHistory {
  const { catalog } = context;

  const itemsOf = async (request: DocumentName & Work, window: { from: Timestamp64; to: Timestamp64 }) => {
    const { signal, report = () => undefined } = request;
    const namespace = namespaceOf(request.namespace, 'namespace');
    const id = idOfExtendedJson(request.id);
    if (id === null) throw invalid('id', 'is not an _id in Extended JSON');
    const source = await requireHistory(catalog.reader, request);
    return engine.history({ ...source, namespace, id, ...window, signal, report });
  };

  const versionAt = async (request: VersionRequest) => {
    const { at } = request;
    const items: HistoryItem[] = [];
    for await (const item of await itemsOf(request, { from: at, to: at })) items.push(item);
    return chosenVersion(items, request);
  };

  return {
    list: async (request) => {
      const cursor = request.cursor === undefined ? null : parseCursor(request.cursor);
      if (cursor === null && request.cursor !== undefined) throw invalid('cursor', 'is none that a page gave');
      const from = cursor?.ts ?? timestampOfMs(request.fromMs ?? 0);
      const to = request.toMs === undefined ? END_OF_TIME : timestampOfMs(request.toMs);
      if (to < from) throw invalid('to', 'is before the beginning');
      const page = await historyPage(await itemsOf(request, { from, to }), { limit: request.limit, cursor });
      return { items: page.items.map(shown), next: page.next === null ? null : formatCursor(page.next) };
    },

    version: async (request) => shownVersion(await versionAt(request)),

    restore: async (request) => {
      const target = await requireTarget(catalog.reader, request);
      const targetNamespace = request.targetNamespace ?? request.namespace;
      const namespace = writableNamespace(targetNamespace);
      const chosen = await versionAt(request);
      const result = await engine.put({
        uri: context.secretBox.open(must(target.sealedUri, 'a target is connected'), uriContext(target.id)),
        namespace,
        document: chosen.document,
        overwrite: request.overwrite,
        signal: request.signal,
      });
      if (result === 'exists') throw refuse('DOCUMENT_EXISTS', [targetNamespace, target.name]);
      context.log.info({ cluster: target.id, namespace: targetNamespace, result }, 'a document was written back');
      return {
        version: shownVersion(chosen),
        targetProjectId: target.projectId,
        targetClusterName: target.name,
        targetNamespace,
        result,
      };
    },
  };
}

function shown(item: HistoryItem): ShownVersion | UnknownStretch {
  return item.kind === 'unknown' ? item : shownVersion(item);
}

function shownVersion({ document, moved: _, ...version }: DocumentVersion): ShownVersion {
  return { ...version, documentJson: document === null ? null : canonicalJson(document) };
}

async function requireHistory(
  reader: CatalogReader,
  name: ClusterName,
): Promise<{
  clusterId: string;
  replicaSetName: string | null;
  shards: HistoryShard[];
  snapshots: KnownSnapshot[];
}> {
  const cluster = await requireCluster(reader, name);
  const { id: clusterId, replicaSetName, type } = cluster;
  const snapshots = await knownSnapshots(reader, clusterId);
  const shards = type === 'sharded' ? await shardsOf(reader, clusterId) : [];
  if (replicaSetName === null || (type === 'sharded' && shards.length === 0))
    throw refuse('DOCUMENT_HISTORY_UNSUPPORTED', [cluster.name, 'nothing was taken or captured of it']);
  return { clusterId, replicaSetName: type === 'sharded' ? null : replicaSetName, shards, snapshots };
}

/** All that there is something of: those that are captured, and those of snapshots. */
async function shardsOf(reader: CatalogReader, clusterId: string): Promise<HistoryShard[]> {
  const capture = await findCapture(reader, clusterId);
  const taken = (await snapshotsOfCluster(reader, clusterId)).flatMap(({ members }) =>
    decodeSnapshotReplicaSets(members),
  );
  const shards = [...decodeCapturedReplicaSets(capture), ...taken].filter((one) => !one.configServer);
  const bySet = new Map(shards.map(({ shardName, replicaSetName }) => [replicaSetName, { shardName, replicaSetName }]));
  return [...bySet.values()].toSorted((a, b) => (a.shardName < b.shardName ? -1 : 1));
}

async function requireTarget(reader: CatalogReader, request: DocumentRestoreRequest): Promise<ClusterRow> {
  const target = await requireConnectedCluster(reader, {
    projectId: request.targetProjectId ?? request.projectId,
    clusterName: request.targetClusterName ?? request.clusterName,
  });
  if (target.type !== 'replicaSet')
    throw refuse('DOCUMENT_HISTORY_UNSUPPORTED', [target.name, 'documents are written back to replica sets only']);
  if (target.paused === 1) throw refuse('CLUSTER_PAUSED_CANNOT_RESTORE', [target.name]);
  if ((await clustersBeingRestored(reader, [target.id])).has(target.id))
    throw refuse('ATLAS_CLUSTER_RESTORE_IN_PROGRESS', [target.name]);
  return target;
}

/**
 * Of all that was in force at the time: the document of the collection that bore the name then, or of the one asked
 * for.
 */
function chosenVersion(items: readonly HistoryItem[], request: VersionRequest): DocumentVersion & { document: Buffer } {
  const { at, namespace, collectionUuid } = request;
  const when = formatTimestamp(at);
  const last = items.at(-1);
  if (last?.kind === 'unknown' && (last.from ?? 0n) < at)
    throw refuse('DOCUMENT_VERSION_UNKNOWN', [namespace, when, last.cause]);
  const newest = new Map<string, DocumentVersion>();
  for (const item of items) if (item.kind === 'version') newest.set(item.uuid, item);
  const candidates = [...newest.values()].filter((one) =>
    collectionUuid === undefined ? one.namespace === namespace : one.uuid === collectionUuid,
  );
  const chosen = candidates.findLast(({ content }) => content !== 'absent');
  if (chosen === undefined) throw refuse('DOCUMENT_VERSION_NOT_FOUND', [namespace, when]);
  const { document } = chosen;
  if (document === null)
    throw refuse('DOCUMENT_VERSION_UNKNOWN', [namespace, when, chosen.cause ?? 'nothing tells it']);
  return { ...chosen, document };
}

function timestampOfMs(ms: number): Timestamp64 {
  return timestampOf({ t: Math.max(0, Math.floor(ms / 1000)), i: 0 });
}

function namespaceOf(text: string, field: string): Namespace {
  const namespace = parseNamespace(text);
  if (namespace.db === '' || namespace.name === '' || !isTaken(namespace))
    throw invalid(field, 'is not a collection that is backed up: database.collection');
  return namespace;
}

function writableNamespace(text: string): Namespace {
  const namespace = namespaceOf(text, 'targetNamespace');
  if (['admin', 'config', 'local'].includes(namespace.db) || namespace.name.startsWith('system.'))
    throw invalid('targetNamespace', "is the server's own");
  return namespace;
}

function invalid(field: string, description: string): Refusal {
  return refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}
