import { formatNamespace } from '../../bson/namespace.ts';
import type { ChosenCollection, Selected } from './backup/select-collections.ts';
import type { CollectionRecord, RestoredState } from './collection-record.ts';
import type { Item } from './stage-collections.ts';
import type { IndexStrategy } from './target-form.ts';

/** What a journal says of a restore before anything is done. Pure. */
export function firstRecords(
  items: readonly Item[],
  { unsupported }: Pick<Selected, 'unsupported'>,
  indexStrategy: IndexStrategy,
): CollectionRecord[] {
  return [
    ...items.map(({ chosen, target }) => ({
      ...recordOf(chosen, 'NOT_STARTED'),
      effectiveTarget: formatNamespace(target),
      indexState: indexStateOf(chosen, indexStrategy),
    })),
    ...unsupported.map((one) => emptyRecord(formatNamespace(one.source), formatNamespace(one.target), 'UNSUPPORTED')),
  ];
}

/**
 * What it says of one that is not begun, because of names that the backup does not have or collections that cannot be
 * restored by themselves.
 */
export function refusedRecords({ chosen, missing, unsupported }: Selected): CollectionRecord[] {
  return [
    ...chosen.map((one) => recordOf(one, 'NOT_RESTORED')),
    ...missing.map(({ source, target }) => emptyRecord(source, target, 'NOT_FOUND')),
    ...unsupported.map((one) => emptyRecord(formatNamespace(one.source), formatNamespace(one.target), 'UNSUPPORTED')),
  ];
}

function recordOf({ source, target, documents }: ChosenCollection, state: RestoredState): CollectionRecord {
  return {
    ...emptyRecord(formatNamespace(source), formatNamespace(target), state),
    totalDocuments: documents?.documents ?? 0,
  };
}

function emptyRecord(source: string, target: string, state: RestoredState): CollectionRecord {
  return {
    ...{ source, target, state },
    effectiveTarget: null,
    stagedName: null,
    stagedUuid: null,
    totalDocuments: 0,
    restoredDocuments: 0,
    indexState: 'NOT_RESTORED',
    indexError: null,
  };
}

/** A view has no indexes of its own. */
function indexStateOf({ documents }: ChosenCollection, strategy: IndexStrategy): CollectionRecord['indexState'] {
  if (strategy === 'none') return 'NOT_RESTORED';
  return documents === null ? 'SUCCESSFUL' : 'NOT_STARTED';
}
