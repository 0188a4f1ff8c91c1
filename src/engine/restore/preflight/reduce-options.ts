import { documentOf, type Field, fieldsOf } from '../../../bson/raw-bson.ts';

/** Options that no server takes without the others. */
const TOGETHER = [['capped', 'size', 'max']];
/** Without these a time series is none, and its documents have no place. */
const ESSENTIAL = new Set(['timeseries.timeField', 'timeseries.metaField']);
const SERIES = 'timeseries';
/** Not said when a collection is made: see `RestoreTarget.letExpire`. */
const SAID_LATER = 'expireAfterSeconds';

/** What a target refused of a collection's options. */
export interface RefusedOption {
  /** A part of the options of a time series with `timeseries.` before it. */
  name: string;
  problem: string;
}

export interface ReducedOptions {
  /** The raw `listCollections` entry without what was refused. */
  info: Buffer;
  refused: RefusedOption[];
}

/**
 * Finds the most that a target takes of a collection's options, by trying them one after another: `attempt` says why
 * the target does not make a collection of that raw `listCollections` entry, null where it does. Null where it makes
 * none even without any option.
 */
export async function reduceOptions(
  info: Buffer,
  attempt: (info: Buffer) => Promise<string | null>,
): Promise<ReducedOptions | null> {
  const paths = pathsOf(info);
  const kept = new Set(paths.filter((path) => ESSENTIAL.has(path) || path === SAID_LATER));
  if ((await attempt(withOptions(info, kept))) !== null) return null;
  const refused: RefusedOption[] = [];
  for (const group of groupsOf(paths.filter((path) => !kept.has(path)))) {
    const problem = await attempt(withOptions(info, new Set([...kept, ...group])));
    if (problem === null) for (const path of group) kept.add(path);
    else refused.push({ name: group.join(', '), problem });
  }
  return { info: withOptions(info, kept), refused };
}

/** The entry with the options of another one that had the same. */
export function reducedAlike(info: Buffer, reduced: Buffer): Buffer {
  const options = fieldsOf(reduced, 0).find(({ name }) => name === 'options');
  return documentOf(fieldsOf(info, 0).map((field) => (field.name === 'options' ? (options ?? field) : field)));
}

function groupsOf(paths: readonly string[]): string[][] {
  const groups = TOGETHER.map((names) => paths.filter((path) => names.includes(path)));
  const single = paths.filter((path) => !TOGETHER.flat().includes(path)).map((path) => [path]);
  return [...groups.filter((group) => group.length > 0), ...single];
}

function pathsOf(info: Buffer): string[] {
  return optionsOf(info).flatMap(({ name, value }) =>
    name === SERIES ? fieldsOf(value, 0).map((part) => `${SERIES}.${part.name}`) : [name],
  );
}

function optionsOf(info: Buffer): Field[] {
  const options = fieldsOf(info, 0).find(({ name }) => name === 'options');
  return options === undefined ? [] : fieldsOf(options.value, 0);
}

function withOptions(info: Buffer, kept: ReadonlySet<string>): Buffer {
  const options = optionsOf(info)
    .map((option) => (option.name === SERIES ? { ...option, value: partsOf(option.value, kept) } : option))
    .filter(({ name }) => name === SERIES || kept.has(name));
  return documentOf(
    fieldsOf(info, 0).map((field) => (field.name === 'options' ? { ...field, value: documentOf(options) } : field)),
  );
}

function partsOf(series: Buffer, kept: ReadonlySet<string>): Buffer {
  return documentOf(fieldsOf(series, 0).filter(({ name }) => kept.has(`${SERIES}.${name}`)));
}
