import { documentOf, type Field, fieldsOf, findElement } from '../../../bson/raw-bson.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';

/** Names that mean nothing to a server but themselves. */
const PLAIN_NAME = /^(?!_id$)[A-Za-z0-9_]+(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
/** Fields of a specification that name fields of the key. */
const NAMES_KEYS = new Set(['weights', 'wildcardProjection', 'partialFilterExpression', 'columnstoreProjection']);

/** A collection, time series or view to be tried, and the indexes that go with it. */
export interface TrialSubject {
  entry: CollectionEntry;
  /** To be built, as `indexesToBuild` has them. */
  indexes: readonly Buffer[];
}

/**
 * One of each kind: what a server refuses is the same for collections that differ in their names and in the names of
 * plain fields of their indexes alone, and of those there may be thousands. Pure.
 */
export function distinctShapes(subjects: readonly TrialSubject[]): TrialSubject[] {
  return groupedByShape(subjects).map(([first]) => first);
}

/** All of each kind together, in the order of the first ones. */
export function groupedByShape(subjects: readonly TrialSubject[]): [TrialSubject, ...TrialSubject[]][] {
  const found = new Map<string, [TrialSubject, ...TrialSubject[]]>();
  for (const subject of subjects) {
    const shape = shapeOf(subject);
    const same = found.get(shape);
    if (same === undefined) found.set(shape, [subject]);
    else same.push(subject);
  }
  return [...found.values()];
}

function shapeOf({ entry, indexes }: TrialSubject): string {
  const options = findElement(entry.info, 0, 'options');
  const idIndex = findElement(entry.info, 0, 'idIndex');
  const version = idIndex === null ? null : findElement(entry.info, idIndex.start, 'v');
  return [
    entry.type,
    options === null ? '' : entry.info.toString('latin1', options.start, options.end),
    version === null ? '' : entry.info.toString('latin1', version.start, version.end),
    ...indexes.map((index) => indexShape(index).toString('latin1')).sort(),
  ].join('\n');
}

function indexShape(index: Buffer): Buffer {
  const fields = fieldsOf(index, 0).filter(({ name }) => name !== 'name');
  if (fields.some(({ name }) => NAMES_KEYS.has(name))) return documentOf(fields);
  return documentOf(fields.map((field) => (field.name === 'key' ? { ...field, value: keyShape(field.value) } : field)));
}

function keyShape(key: Buffer): Buffer {
  const numbered = (field: Field, at: number) => (PLAIN_NAME.test(field.name) ? { ...field, name: `${at}` } : field);
  return documentOf(fieldsOf(key, 0).map(numbered));
}
