import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { BSON } from 'mongodb';
import type { ObjectStore } from '../../src/storage/object-store.ts';

/** What lies under an export's prefix, by the names below it. */
export async function exportedObjects(store: ObjectStore, prefix: string): Promise<Map<string, Buffer>> {
  const objects = new Map<string, Buffer>();
  for await (const { objectKey } of store.list(`${prefix}/`)) {
    objects.set(objectKey.slice(prefix.length + 1), await store.get(objectKey));
  }
  return objects;
}

/**
 * The lines of a collection's data files, in the files' order; looked up as an importer does, by the last parts of the
 * names.
 */
export function exportedLines(objects: ReadonlyMap<string, Buffer>, db: string, collection: string): string[] {
  const start = `${db}/${collection}/`;
  const files = [...objects.keys()].filter((name) => name.startsWith(start) && name.endsWith('.json.gz'));
  const numbered = files.map((name) => ({ name, number: Number(/\.(\d+)\.json\.gz$/.exec(name)?.[1]) }));
  const ordered = numbered.toSorted((a, b) => a.number - b.number);
  assert.deepEqual(
    ordered.map(({ number }) => number),
    ordered.map((_, index) => index),
    'files are numbered from 0 without a gap',
  );
  return ordered.flatMap(({ name }) => {
    const text = gunzipSync(objects.get(name) as Buffer).toString('utf8');
    assert.ok(text.endsWith('\n'), `${name} ends with a line's end`);
    return text.slice(0, -1).split('\n');
  });
}

/** The documents of lines, by a way of their own: the driver's EJSON. */
export function documentsOfLines(lines: readonly string[]): Buffer[] {
  return lines.map((line) => Buffer.from(BSON.serialize(BSON.EJSON.parse(line, { relaxed: false }))));
}
