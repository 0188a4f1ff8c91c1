import type { Namespace } from '../../bson/namespace.ts';
import { documentOf, fieldsOf, findElement, stringValue } from '../../bson/raw-bson.ts';
import { indexesToBuild } from '../index-specifications.ts';
import type { ChosenCollection } from './backup/select-collections.ts';

/** `none` leaves the index on `_id`, without which there is no collection. */
export type IndexStrategy = 'all' | 'none' | 'allExceptTtl';

/**
 * Only with all its indexes a collection lets its documents expire: those of a restore from long ago would be gone
 * within a minute.
 */
function expires(strategy: IndexStrategy): boolean {
  return strategy === 'all';
}

/** The indexes to build after the documents are there. Pure. */
export function indexesFor({ documents }: ChosenCollection, strategy: IndexStrategy): Buffer[] {
  if (documents === null || strategy === 'none') return [];
  const all = indexesToBuild(documents.indexes, documents.info);
  return strategy === 'all' ? all : all.filter((index) => findElement(index, 0, 'expireAfterSeconds') === null);
}

/**
 * The raw `listCollections` entry to create it by. Where documents shall not expire, the option of clustered
 * collections and time series that says when they do is left out. A view is on the collection that it was on, under the
 * name that this one gets in the same database. Pure.
 */
export function infoFor({ entry }: ChosenCollection, change: InfoChange): Buffer {
  const fields = fieldsOf(entry.info, 0);
  return documentOf(
    fields.map((field) =>
      field.name === 'options' ? { ...field, value: changedOptions(field.value, entry.db, change) } : field,
    ),
  );
}

export interface InfoChange {
  strategy: IndexStrategy;
  /**
   * The name that a collection of the backup gets in the same database as the view; null where it is not restored
   * there.
   */
  nameOf: (source: Namespace) => string | null;
}

function changedOptions(options: Buffer, db: string, { strategy, nameOf }: InfoChange): Buffer {
  const kept = fieldsOf(options, 0).filter(({ name }) => name !== 'expireAfterSeconds' || expires(strategy));
  return documentOf(
    kept.map((field) => {
      if (field.name !== 'viewOn' || field.type !== 0x02) return field;
      const name = nameOf({ db, name: field.value.toString('utf8', 4, field.value.length - 1) });
      return name === null ? field : { ...field, value: stringValue(name) };
    }),
  );
}
