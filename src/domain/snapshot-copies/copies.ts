import type { CatalogWriter } from '../../catalog/catalog.ts';
import type { SnapshotCopyRow, SnapshotRow } from '../../catalog/schema.ts';
import { copiesOfSnapshots, hasCopy, insertSnapshotCopy, updateSnapshotCopy } from '../../catalog/snapshot-copies.ts';
import { findSnapshot, updateSnapshot } from '../../catalog/snapshots.ts';
import { assert, must } from '../../lib/assert.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import { type CopiedSnapshot, copyKeptUntilMs } from '../policies/copy-rules.ts';
import type { PolicyItem } from '../policies/schedule-rules.ts';
import { findStoredSchedule } from '../policies/stored-schedule.ts';

type Context = Pick<DomainContext, 'ids' | 'clock'>;

/**
 * In one copy store one task at a time: who writes there reuses what he finds, and who deletes takes away what nobody
 * names.
 */
export function copyStoreKey(regionName: string): string {
  return `copies/${regionName}`;
}

/** In the transaction that completes a snapshot: a copy for every setting of its schedule that asks for one. */
export async function queueCopies(writer: CatalogWriter, context: Context, row: SnapshotRow): Promise<void> {
  const stored = await findStoredSchedule(writer, row.clusterId);
  if (stored === undefined) return;
  const snapshot = copiedSnapshot(row, stored.items);
  for (const setting of stored.copySettings) {
    const expiresAtMs = copyKeptUntilMs(setting, snapshot);
    if (expiresAtMs === null) continue;
    const { cloudProvider, regionName, zoneId } = setting;
    const copy: SnapshotCopyRow = {
      id: context.ids.next(),
      snapshotId: row.id,
      clusterId: row.clusterId,
      cloudProvider,
      regionName,
      zoneId,
      state: 'queued',
      requestedAtMs: context.clock.nowMs(),
      finishedAtMs: null,
      expiresAtMs,
      storedBytes: null,
      failureReason: null,
      deletedAtMs: null,
    };
    await insertSnapshotCopy(writer, copy);
    await enqueueTask(writer, {
      id: context.ids.next(),
      kind: 'copySnapshot',
      subjectId: copy.id,
      exclusiveKey: copyStoreKey(regionName),
      nowMs: context.clock.nowMs(),
      pin: { clusterId: row.clusterId, snapshotId: row.id },
    });
  }
}

/** A merged snapshot counts for every item that was due, and is copied for the sake of any of them. */
export function copiedSnapshot(row: SnapshotRow, items: readonly PolicyItem[]): CopiedSnapshot {
  return {
    finishedAtMs: must(row.finishedAtMs, 'a completed snapshot was finished'),
    expiresAtMs: row.expiresAtMs,
    frequencyTypes: frequencyTypesOf(row, items),
  };
}

/** Of every policy item that was due, although a snapshot shows one of them. */
export function frequencyTypesOf(row: SnapshotRow, items: readonly PolicyItem[]): CopiedSnapshot['frequencyTypes'] {
  const itemIds = JSON.parse(row.policyItems) as string[];
  const types = items.filter((item) => itemIds.includes(item.id)).map((item) => item.frequencyType);
  return [...new Set([row.frequencyType, ...types])];
}

/**
 * Gone for everybody to see; its objects follow in a task, when nothing reads them. One that is being made is left to
 * its end.
 */
export async function discardCopy(writer: CatalogWriter, context: Context, copy: SnapshotCopyRow): Promise<void> {
  assert(copy.deletedAtMs === null, 'a copy is deleted once');
  await updateSnapshotCopy(writer, copy.id, { deletedAtMs: context.clock.nowMs() });
  if (copy.state === 'completed') await queueCopyDeletion(writer, context, copy);
  await noteCopiesOnly(writer, context, copy.snapshotId);
}

/**
 * A snapshot whose original has gone is still shown while a copy of it is there. To be called wherever either changes.
 */
export async function noteCopiesOnly(writer: CatalogWriter, context: Context, snapshotId: string): Promise<void> {
  const row = must(await findSnapshot(writer, snapshotId), 'the row of a snapshot stays');
  const copiesOnly = row.deletedAtMs !== null && (await hasCopy(writer, snapshotId));
  if (copiesOnly === (row.copiesOnlySinceMs !== null)) return;
  await updateSnapshot(writer, snapshotId, { copiesOnlySinceMs: copiesOnly ? context.clock.nowMs() : null });
}

export async function queueCopyDeletion(
  writer: CatalogWriter,
  context: Context,
  { id, regionName }: SnapshotCopyRow,
): Promise<void> {
  await enqueueTask(writer, {
    id: context.ids.next(),
    kind: 'deleteSnapshotCopy',
    subjectId: id,
    exclusiveKey: copyStoreKey(regionName),
    nowMs: context.clock.nowMs(),
  });
}

/** Whoever deletes a snapshot deletes its copies; when it only expires they stay for their own time. */
export async function discardCopiesOf(writer: CatalogWriter, context: Context, snapshotId: string): Promise<void> {
  for (const copy of await copiesOfSnapshots(writer, [snapshotId])) await discardCopy(writer, context, copy);
}

/** Copies that were to go together with their snapshot still do when its time is changed. */
export async function moveCopies(
  writer: CatalogWriter,
  snapshotId: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<void> {
  for (const copy of await copiesOfSnapshots(writer, [snapshotId])) {
    if (copy.expiresAtMs === fromMs) await updateSnapshotCopy(writer, copy.id, { expiresAtMs: toMs });
  }
}
