import { documentOf, findElement, forEachElement } from '../bson/raw-bson.ts';

const SIMPLE_COLLATION = documentOf([
  { name: 'locale', type: 0x02, value: Buffer.from('\x07\x00\x00\x00simple\x00', 'latin1') },
]);

/**
 * The specifications to build after a load, from the raw `listIndexes` documents of the source: all but the index on
 * `_id` and a clustered index, which come with the collection. `ns` (older servers) is left out because createIndexes
 * refuses it. An index without a collation has the simple one, which has to be said where the collection has another by
 * default; but one of version 1 knows no collations, and is refused with any, also with the simple one that servers
 * from 9.0 on list for every index.
 */
export function indexesToBuild(indexes: readonly Buffer[], info: Buffer): Buffer[] {
  const collated = hasDefaultCollation(info);
  return indexes.filter((index) => !isIdIndex(index)).map((index) => specification(index, collated));
}

function isIdIndex(index: Buffer): boolean {
  if (findElement(index, 0, 'clustered') !== null) return true;
  const name = findElement(index, 0, 'name');
  return name !== null && index.toString('utf8', name.start + 4, name.end - 1) === '_id_';
}

function hasDefaultCollation(info: Buffer): boolean {
  const options = findElement(info, 0, 'options');
  return options !== null && findElement(info, options.start, 'collation') !== null;
}

function specification(index: Buffer, collated: boolean): Buffer {
  const elements: { name: string; type: number; value: Buffer }[] = [];
  let ownCollation = false;
  forEachElement(index, 0, (name, element) => {
    if (name === 'collation') {
      if (isVersion1(index) && index.subarray(element.start, element.end).equals(SIMPLE_COLLATION)) return true;
      ownCollation = true;
    }
    if (name !== 'ns') elements.push({ name, type: element.type, value: index.subarray(element.start, element.end) });
    return true;
  });
  if (collated && !ownCollation && !isVersion1(index))
    elements.push({ name: 'collation', type: 0x03, value: SIMPLE_COLLATION });
  return documentOf(elements);
}

function isVersion1(index: Buffer): boolean {
  const version = findElement(index, 0, 'v');
  return version?.type === 0x10 && index.readInt32LE(version.start) === 1;
}
