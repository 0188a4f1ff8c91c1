import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { TaskKind, TaskRow, TaskTable } from './schema.ts';

export type TaskChanges = Omit<Updateable<TaskTable>, 'id' | 'kind' | 'subjectId'>;

export async function insertTask(writer: CatalogWriter, task: TaskRow): Promise<void> {
  await writer.insertInto('tasks').values(task).execute();
}

export async function findTask(reader: CatalogReader, id: string): Promise<TaskRow | undefined> {
  return await reader.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The newest about the subject. */
export async function findTaskOfSubject(reader: CatalogReader, subjectId: string): Promise<TaskRow | undefined> {
  return await reader
    .selectFrom('tasks')
    .selectAll()
    .where('subjectId', '=', subjectId)
    .orderBy('createdAtMs', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** For each subject the id of the newest task about it. */
export async function taskIdsOfSubjects(
  reader: CatalogReader,
  subjectIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (subjectIds.length === 0) return new Map();
  const rows = await reader
    .selectFrom('tasks')
    .select(['subjectId', 'id'])
    .where('subjectId', 'in', subjectIds)
    .where('kind', 'in', ['takeSnapshot', 'restoreSnapshot', 'restoreCollections', 'serveDownload'])
    .orderBy('createdAtMs')
    .orderBy('id')
    .execute();
  return new Map(rows.map((row) => [row.subjectId, row.id]));
}

/** For each export job its task, with what that says of itself. */
export async function tasksOfExports(
  reader: CatalogReader,
  exportJobIds: readonly string[],
): Promise<ReadonlyMap<string, Pick<TaskRow, 'id' | 'progress'>>> {
  if (exportJobIds.length === 0) return new Map();
  const rows = await reader
    .selectFrom('tasks')
    .select(['subjectId', 'id', 'progress'])
    .where('subjectId', 'in', exportJobIds)
    .where('kind', '=', 'exportSnapshot')
    .execute();
  return new Map(rows.map(({ subjectId, ...task }) => [subjectId, task]));
}

/** Newest first. */
export async function listTasks(
  reader: CatalogReader,
  query: { unfinished: boolean; page: PageRequest },
): Promise<Page<TaskRow>> {
  let filtered = reader.selectFrom('tasks').where((e) => e.and([]));
  if (query.unfinished) filtered = filtered.where('state', 'in', ['queued', 'running']);
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc'),
  );
}

/**
 * The next task that may be claimed: one that waits and is due, or one whose lease ran out. Left out are those whose
 * exclusive key is held by another running task, be its lease good or not: where it is not, that task itself comes
 * first.
 */
export async function nextClaimableTask(
  reader: CatalogReader,
  nowMs: number,
  kinds?: readonly TaskKind[],
): Promise<TaskRow | undefined> {
  let tasks = reader.selectFrom('tasks').selectAll('tasks');
  if (kinds !== undefined) tasks = tasks.where('kind', 'in', kinds);
  return await tasks
    .where((e) =>
      e.or([
        e.and([e('state', '=', 'running'), e('leaseExpiresAtMs', '<=', nowMs)]),
        e.and([
          e('state', '=', 'queued'),
          e('runAfterMs', '<=', nowMs),
          e.or([
            e('exclusiveKey', 'is', null),
            e.not(
              e.exists(
                e
                  .selectFrom('tasks as holder')
                  .select('holder.id')
                  .whereRef('holder.exclusiveKey', '=', 'tasks.exclusiveKey')
                  .where('holder.state', '=', 'running'),
              ),
            ),
          ]),
        ]),
      ]),
    )
    .orderBy('runAfterMs')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

export async function updateTask(writer: CatalogWriter, id: string, changes: TaskChanges): Promise<void> {
  await writer.updateTable('tasks').set(changes).where('id', '=', id).execute();
}

/** Changes the task only while it runs under that generation. False when it does not: whoever asks has lost it. */
export async function updateTaskUnder(
  writer: CatalogWriter,
  held: { id: string; generation: number },
  changes: TaskChanges,
): Promise<boolean> {
  const result = await writer
    .updateTable('tasks')
    .set(changes)
    .where('id', '=', held.id)
    .where('generation', '=', held.generation)
    .where('state', '=', 'running')
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function runningTasksOf(
  reader: CatalogReader,
  leaseOwner: string,
): Promise<Pick<TaskRow, 'id' | 'generation' | 'cancelRequestedAtMs'>[]> {
  return await reader
    .selectFrom('tasks')
    .select(['id', 'generation', 'cancelRequestedAtMs'])
    .where('state', '=', 'running')
    .where('leaseOwner', '=', leaseOwner)
    .execute();
}

/** Ends the leases of a process that is known to be gone. Returns how many. */
export async function expireLeasesOf(writer: CatalogWriter, leaseOwner: string): Promise<number> {
  const result = await writer
    .updateTable('tasks')
    .set({ leaseExpiresAtMs: 0 })
    .where('state', '=', 'running')
    .where('leaseOwner', '=', leaseOwner)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

export interface Pin {
  clusterId: string;
  snapshotId: string;
}

/** Snapshots that unfinished tasks read: parents, and what is being restored. Their manifests and blobs stay. */
export async function pinnedSnapshots(reader: CatalogReader): Promise<Pin[]> {
  const rows = await reader
    .selectFrom('tasks')
    .select(['pinnedClusterId', 'pinnedSnapshotId'])
    .distinct()
    .where('state', 'in', ['queued', 'running'])
    .where('pinnedSnapshotId', 'is not', null)
    .execute();
  return rows.flatMap((row) =>
    row.pinnedClusterId === null || row.pinnedSnapshotId === null
      ? []
      : [{ clusterId: row.pinnedClusterId, snapshotId: row.pinnedSnapshotId }],
  );
}

export async function hasQueuedTask(reader: CatalogReader, kind: TaskKind): Promise<boolean> {
  const row = await reader
    .selectFrom('tasks')
    .select('id')
    .where('state', '=', 'queued')
    .where('kind', '=', kind)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function hasUnfinishedTaskWithKey(reader: CatalogReader, exclusiveKey: string): Promise<boolean> {
  const row = await reader
    .selectFrom('tasks')
    .select('id')
    .where('state', 'in', ['queued', 'running'])
    .where('exclusiveKey', '=', exclusiveKey)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function countTasks(reader: CatalogReader, state: 'queued' | 'running'): Promise<number> {
  const row = await reader
    .selectFrom('tasks')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('state', '=', state)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** What waits of that kind is due now. */
export async function hurryTasks(writer: CatalogWriter, kind: TaskKind, nowMs: number): Promise<void> {
  await writer
    .updateTable('tasks')
    .set({ runAfterMs: nowMs })
    .where('state', '=', 'queued')
    .where('kind', '=', kind)
    .where('runAfterMs', '>', nowMs)
    .execute();
}

/** Forgets tasks that ended before that time. Their subjects keep what became of them. */
export async function deleteTasksFinishedBefore(writer: CatalogWriter, beforeMs: number): Promise<void> {
  await writer.deleteFrom('tasks').where('finishedAtMs', '<', beforeMs).execute();
}
