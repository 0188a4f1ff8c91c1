import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import type { Colors } from './colors.ts';
import { formatBytes, formatCount, formatDuration, formatNumberOf, formatTime } from './sizes.ts';
import { type Column, renderFields } from './table.ts';

/** How the command shows a snapshot: as JSON, as a row, as a page. */

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function snapshotJson(snapshot: Snapshot): Record<string, unknown> {
  const { clusterTimeT: t, clusterTimeI: i } = snapshot;
  return {
    id: snapshot.id,
    projectId: snapshot.projectId,
    clusterName: snapshot.clusterName,
    status: snapshot.status,
    snapshotType: snapshot.snapshotType,
    description: snapshot.description,
    clusterTime: t === null || i === null ? null : { t, i },
    createdAt: time(snapshot.createdAtMs),
    requestedAt: time(snapshot.requestedAtMs),
    startedAt: time(snapshot.startedAtMs),
    finishedAt: time(snapshot.finishedAtMs),
    expiresAt: time(snapshot.expiresAtMs),
    parentSnapshotId: snapshot.parentSnapshotId,
    replicaSetName: snapshot.replicaSetName,
    mongodVersion: snapshot.mongodVersion,
    featureCompatibilityVersion: snapshot.featureCompatibilityVersion,
    collections: snapshot.collections,
    documents: snapshot.documents,
    dataBytes: snapshot.dataBytes,
    writtenPlainBytes: snapshot.writtenPlainBytes,
    writtenStoredBytes: snapshot.writtenStoredBytes,
    failureReason: snapshot.failureReason,
  };
}

export const snapshotColumns: readonly Column[] = [
  { header: 'ID' },
  { header: 'CLUSTER', elastic: true },
  { header: 'STATUS', leftOut: 3 },
  { header: 'DATA AT' },
  { header: 'DOCUMENTS', align: 'right', leftOut: 1 },
  { header: 'DATA', align: 'right' },
  { header: 'STORED', align: 'right' },
  { header: 'EXPIRES', leftOut: 2 },
];

export function snapshotRow(snapshot: Snapshot, colors: Colors): string[] {
  return [
    snapshot.id,
    snapshot.clusterName,
    paintStatus(snapshot.status, colors),
    // In a narrow table this is all that is said of the status.
    snapshot.createdAtMs === null ? paintStatus(snapshot.status, colors) : formatTime(snapshot.createdAtMs),
    orDash(snapshot.documents, formatCount),
    orDash(snapshot.dataBytes, formatBytes),
    orDash(snapshot.writtenStoredBytes, formatBytes),
    snapshot.doNotDelete ? 'never' : new Date(snapshot.expiresAtMs).toISOString().slice(0, 10),
  ];
}

export function snapshotPage(snapshot: Snapshot, colors: Colors): string[] {
  const { startedAtMs, finishedAtMs, clusterTimeT: t, clusterTimeI: i } = snapshot;
  const took = startedAtMs === null || finishedAtMs === null ? null : formatDuration(finishedAtMs - startedAtMs);
  return renderFields(
    [
      ['snapshot', colors.bold(snapshot.id)],
      ['cluster', snapshot.clusterName],
      ['project', snapshot.projectId],
      ['status', paintStatus(snapshot.status, colors)],
      ['description', snapshot.description],
      [
        'data at',
        snapshot.createdAtMs === null ? null : `${formatTime(snapshot.createdAtMs)} (cluster time ${t}:${i})`,
      ],
      ['took', took],
      ['parent', snapshot.parentSnapshotId],
      ['documents', orNull(snapshot.documents, formatCount)],
      ['collections', orNull(snapshot.collections, formatCount)],
      ['data', orNull(snapshot.dataBytes, formatBytes)],
      ['new data', orNull(snapshot.writtenPlainBytes, formatBytes)],
      ['stored', orNull(snapshot.writtenStoredBytes, formatBytes)],
      ['replica set', snapshot.replicaSetName],
      ['MongoDB', snapshot.mongodVersion],
      ['expires', snapshot.doNotDelete ? 'never: it is protected' : formatTime(snapshot.expiresAtMs)],
      ['reason', snapshot.failureReason === null ? null : colors.red(snapshot.failureReason)],
    ],
    colors,
  );
}

/**
 * `snapshot 6… of Shop as of 2026-11-22 10:20:30Z (1,234 documents, 5.0 MB)`: as `describeSource`, by the catalog.
 */
export function describeSnapshot({ id, clusterName, createdAtMs, documents, dataBytes }: Snapshot): string {
  const time = createdAtMs === null ? 'an unknown time' : formatTime(createdAtMs);
  const amount = `${formatNumberOf(documents ?? 0, 'document')}, ${formatBytes(dataBytes ?? 0)}`;
  return `snapshot ${id} of ${clusterName} as of ${time} (${amount})`;
}

function paintStatus(status: Snapshot['status'], colors: Colors): string {
  if (status === 'completed') return colors.green(status);
  return status === 'failed' ? colors.red(status) : colors.yellow(status);
}

function orNull(figure: number | null, format: (figure: number) => string): string | null {
  return figure === null ? null : format(figure);
}

function orDash(figure: number | null, format: (figure: number) => string): string {
  return orNull(figure, format) ?? '-';
}
