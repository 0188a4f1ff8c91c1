import { documentOf, type ElementAt, type Field, fieldsOf } from '../bson/raw-bson.ts';
import { argumentsOf } from './operations.ts';

/**
 * What `collMod` may change of a collection, as servers log it (`coll_mod.idl`, 5.0 to 8.x, tried on 5.0.4, 6.0.5 and
 * 6.0.27).
 */
const OPTIONS = new Set([
  'index',
  'validator',
  'validationLevel',
  'validationAction',
  'viewOn',
  'pipeline',
  'recordPreImages',
  'changeStreamPreAndPostImages',
  'cappedSize',
  'cappedMax',
  'expireAfterSeconds',
  'timeseries',
  'timeseriesBucketsMayHaveMixedSchemaData',
]);
const SERIES_OPTIONS = new Set([
  'timeField',
  'metaField',
  'granularity',
  'bucketMaxSpanSeconds',
  'bucketRoundingSeconds',
]);

/** What a `collMod` entry asks for. */
export interface OptionChanges {
  /** As they are to be carried out. Views, but for a `timeseries` of which something is not known. */
  known: Field[];
  /** Names of what no version of ours knows: `x`, or `timeseries.x`. */
  unknown: string[];
}

/** Pure. `o` is the entry's. */
export function optionChanges(buffer: Buffer, o: ElementAt): OptionChanges {
  const known: Field[] = [];
  const unknown: string[] = [];
  for (const field of argumentsOf(buffer, o)) {
    if (!OPTIONS.has(field.name)) unknown.push(field.name);
    else if (field.name !== 'timeseries' || field.type !== 0x03) known.push(field);
    else {
      const parts = fieldsOf(field.value, 0);
      const kept = parts.filter(({ name }) => SERIES_OPTIONS.has(name));
      unknown.push(...parts.filter((part) => !kept.includes(part)).map(({ name }) => `timeseries.${name}`));
      if (kept.length === parts.length) known.push(field);
      else if (kept.length > 0) known.push({ ...field, value: documentOf(kept) });
    }
  }
  return { known, unknown };
}
