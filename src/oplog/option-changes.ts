import { documentOf, type ElementAt, type Field, fieldsOf, findElement } from '../bson/raw-bson.ts';
import { argumentsOf } from './operations.ts';

/**
 * What `collMod` may change of a collection, as servers log it (`coll_mod.idl`, 5.0 to 9.0, tried on 5.0.4, 6.0.5 and
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
/**
 * What changes nothing that a copy of the collection could have: how this server numbers its records, and what an
 * upgrade of it clears away.
 */
const WITHOUT_TRACE = new Set(['recordIdsReplicated', '_removeLegacyTimeseriesBucketingParametersHaveChanged']);
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

/** Where servers say in `o2` what members of older releases would not take in `o`. */
const INCOMPATIBLE = 'backwardsIncompatibleCollModParameters';

/**
 * Pure. `o` and `o2` are the entry's: whether the buckets of a time series may hold values of mixed types stands in
 * `o2` alone (seen on 6.0.24 and 6.0.27).
 */
export function optionChanges(buffer: Buffer, { o, o2 }: { o: ElementAt; o2: ElementAt | null }): OptionChanges {
  const known: Field[] = [];
  const unknown: string[] = [];
  const hidden = o2 === null ? null : findElement(buffer, o2.start, INCOMPATIBLE);
  const asked = [...argumentsOf(buffer, o), ...(hidden?.type === 0x03 ? fieldsOf(buffer, hidden.start) : [])];
  for (const field of asked) {
    if (WITHOUT_TRACE.has(field.name)) continue;
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
