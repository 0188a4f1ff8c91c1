/** What became of a document from one version to the next, in as few words as tell it. Pure. */

/**
 * `balance 10 -> -1, note "x" added, tags removed`: the fields that differ, those within documents by their paths.
 * Where nothing is known of before, or there was no document, all fields but the `_id`. Both are Extended JSON.
 */
export function describeChange(before: string | null, after: string): string {
  const now = fieldsOf(after);
  if (before === null) {
    const shown = [...now].filter(([name]) => name !== '_id').map(([name, value]) => `${name} ${show(value)}`);
    return shown.length === 0 ? 'nothing but its _id' : shown.join(', ');
  }
  const changes = [...differences(fieldsOf(before), now, '')];
  return changes.length === 0 ? 'the same' : changes.join(', ');
}

type Fields = ReadonlyMap<string, unknown>;

function fieldsOf(json: string): Fields {
  return new Map(Object.entries(JSON.parse(json) as object));
}

function* differences(before: Fields, after: Fields, path: string): Generator<string, void, undefined> {
  for (const [name, now] of after) {
    const at = `${path}${name}`;
    const was = before.get(name);
    if (!before.has(name)) yield `${at} ${show(now)} added`;
    else if (JSON.stringify(was) === JSON.stringify(now)) continue;
    else if (isDocument(was) && isDocument(now))
      yield* differences(new Map(Object.entries(was)), new Map(Object.entries(now)), `${at}.`);
    else yield `${at} ${show(was)} -> ${show(now)}`;
  }
  for (const name of before.keys()) if (!after.has(name)) yield `${path}${name} removed`;
}

/** Not one that stands for another type of value, as `{"$numberInt": "1"}` does. */
function isDocument(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isTyped(value);
}

function isTyped(value: object): boolean {
  const names = Object.keys(value);
  return names.length > 0 && names.every((name) => name.startsWith('$'));
}

/** As MongoDB's shell shows values, about. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (!isTyped(value))
    return `{${Object.entries(value)
      .map(([name, one]) => `${name}: ${show(one)}`)
      .join(', ')}}`;
  return showTyped(value as Readonly<Record<string, unknown>>);
}

function showTyped(value: Readonly<Record<string, unknown>>): string {
  const [[name, held] = ['', ''], ...others] = Object.entries(value);
  if (others.length > 0) return JSON.stringify(value);
  if (typeof held === 'string' && /^\$(numberInt|numberLong|numberDouble|numberDecimal|oid)$/.test(name)) return held;
  const ms = name === '$date' ? msOf(held) : Number.NaN;
  return Number.isNaN(ms) || Math.abs(ms) > DATE_MS_MAX ? JSON.stringify(value) : new Date(ms).toISOString();
}

/** What a Date can hold. */
const DATE_MS_MAX = 8.64e15;

function msOf(held: unknown): number {
  if (typeof held === 'string') return Date.parse(held);
  return typeof held === 'object' && held !== null && '$numberLong' in held ? Number(held.$numberLong) : Number.NaN;
}
