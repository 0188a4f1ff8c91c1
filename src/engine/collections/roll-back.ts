import { parseNamespace } from '../../bson/namespace.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { dropFromTarget, listTarget } from '../../mongo/target-catalog.ts';
import type { CollectionRecord, RestoreJournal } from './collection-record.ts';
import { removeStaged, STAGED_PREFIX } from './remove-staged.ts';
import type { Item } from './stage-collections.ts';

/** Takes away what an attempt had made and not put in its place, and writes down what became of it. */
export async function rollBack(
  target: RestoreTarget,
  restoreId: string,
  items: readonly Item[],
  journal: RestoreJournal,
): Promise<void> {
  for (const item of items.filter(({ placed }) => !placed)) {
    const { failure } = item;
    if (item.created) {
      await journal.update(item.source, { state: 'ROLLBACK' });
      await removeStaged(target, item.staged, item.uuid);
    }
    const indexFailed = failure?.state === 'INDEX_BUILD_FAILED';
    await journal.update(item.source, {
      state: failure?.state ?? 'NOT_RESTORED',
      ...{ stagedName: null, stagedUuid: null, restoredDocuments: 0 },
      indexState: indexFailed ? 'FAILED' : 'NOT_RESTORED',
      indexError: indexFailed ? failure.reason : null,
    });
  }
  // What no record names: parts of shards that were not together yet.
  const inParts = items.filter(({ created, placed, chosen }) => created && !placed && chosen.parts.length > 1);
  await sweepStaged(target, restoreId, databasesOf(inParts));
}

/** What an earlier attempt may have left. */
export async function removeTraces(
  target: RestoreTarget,
  restoreId: string,
  records: readonly CollectionRecord[],
): Promise<void> {
  const dbs = new Set<string>();
  for (const { stagedName, stagedUuid, effectiveTarget } of records) {
    if (stagedName === null || effectiveTarget === null) continue;
    const { db } = parseNamespace(effectiveTarget);
    dbs.add(db);
    await removeStaged(target, { db, name: stagedName }, stagedUuid);
  }
  await sweepStaged(target, restoreId, dbs);
}

export function databasesOf(items: readonly Pick<Item, 'target'>[]): Set<string> {
  return new Set(items.map((item) => item.target.db));
}

/**
 * Everything under the names of this restore. A process that died may have had inserts under way that made its
 * collections anew after they were dropped.
 */
export async function sweepStaged(target: RestoreTarget, restoreId: string, dbs: ReadonlySet<string>): Promise<void> {
  const own = `${STAGED_PREFIX}${restoreId}_`;
  for (const db of dbs) {
    for (const name of (await listTarget(target, db)).keys())
      if (name.startsWith(own)) await dropFromTarget(target, { db, name });
  }
}
