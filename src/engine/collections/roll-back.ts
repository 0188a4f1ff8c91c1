import { parseNamespace } from '../../bson/namespace.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { dropFromTarget, listTarget } from '../../mongo/target-catalog.ts';
import type { CollectionRecord, RestoreJournal } from './collection-record.ts';
import { removeStaged, STAGED_PREFIX } from './remove-staged.ts';
import type { Item } from './stage-collections.ts';

/** Takes away what an attempt had made and not put in its place, and writes down what became of it. */
export async function rollBack(target: RestoreTarget, items: readonly Item[], journal: RestoreJournal): Promise<void> {
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
}

/** What an earlier attempt may have left of one. */
export async function removeTraces(target: RestoreTarget, record: CollectionRecord): Promise<void> {
  if (record.stagedName === null || record.effectiveTarget === null) return;
  const { db } = parseNamespace(record.effectiveTarget);
  await removeStaged(target, { db, name: record.stagedName }, record.stagedUuid);
}

/** A process that died may have had inserts under way that made its collections anew after they were dropped. */
export async function sweepStaged(target: RestoreTarget, restoreId: string, items: readonly Item[]): Promise<void> {
  const own = `${STAGED_PREFIX}${restoreId}_`;
  for (const db of new Set(items.map((item) => item.target.db))) {
    for (const name of (await listTarget(target, db)).keys())
      if (name.startsWith(own)) await dropFromTarget(target, { db, name });
  }
}
