import { BSON, type MongoClient } from 'mongodb';
import { documentOfId } from '../../src/bson/raw-bson.ts';
import { type CollectionTruth, readTruth, type Truth } from './truth.ts';

const DIFFERENCES_MAX = 25;
const SHOWN_MAX = 300;

export interface CompareOptions {
  /**
   * Capped collections lose documents from their front at any time: where this says so, the actual one may start later
   * than the expected one.
   */
  cappedMayStartLater?: boolean;
  /**
   * By how many places a document of a capped collection may be off. Documents that are inserted at the same time by
   * several writers have no order that members agree on: the natural order of a primary is not that of its oplog (seen
   * on 6.0), and each secondary has its own. 0 where there is one writer.
   */
  cappedSlack?: number;
  /** Namespaces that are left out on both sides, with the reason that the caller has for it. */
  skip?: (namespace: string) => boolean;
}

/**
 * What differs between two clusters, in sentences; empty when nothing does. Byte for byte per document, keyed by the
 * bytes of its _id; capped collections in order; types, options and index specs byte for byte. UUIDs differ by design:
 * a restored collection is a new one.
 */
export function compareTruth(expected: Truth, actual: Truth, options: CompareOptions = {}): string[] {
  const found: string[] = [];
  const names = new Set([...expected.collections.keys(), ...actual.collections.keys()]);
  for (const namespace of [...names].sort()) {
    if (options.skip?.(namespace)) continue;
    for (const difference of compareNamespace(namespace, expected, actual, options)) {
      if (found.push(`${namespace}: ${difference}`) >= DIFFERENCES_MAX) return [...found, '... and perhaps more'];
    }
  }
  return found;
}

/** The clusters as they are now. */
export async function compareClusters(expected: MongoClient, actual: MongoClient): Promise<string[]> {
  return compareTruth(await readTruth(expected, null), await readTruth(actual, null));
}

function* compareNamespace(
  namespace: string,
  expected: Truth,
  actual: Truth,
  options: CompareOptions,
): Generator<string> {
  const mine = expected.collections.get(namespace);
  const other = actual.collections.get(namespace);
  // The server makes these when it needs them and lets nobody drop them.
  if (namespace.startsWith('admin.system.') && isEmpty(mine) && isEmpty(other)) return;
  if (mine === undefined) yield `is there but should not be (${describe(other)})`;
  else if (other === undefined) yield `is missing (${describe(mine)})`;
  else {
    for (const truth of [expected, actual]) {
      const reason = truth.unreadable.get(namespace);
      if (reason !== undefined) yield `could not be read: ${reason}`;
    }
    if (mine.type !== other.type) yield `is a ${other.type}, should be a ${mine.type}`;
    if (!mine.options.equals(other.options))
      yield `options are ${show(other.options)}, should be ${show(mine.options)}`;
    if (!hidesIndexes(namespace, expected)) yield* compareIndexes(mine, other);
    yield* compareDocuments(mine, other, options);
  }
}

function isEmpty(collection: CollectionTruth | undefined): boolean {
  return (collection?.documents?.size ?? 0) === 0;
}

function describe(collection: CollectionTruth | undefined): string {
  return `${collection?.type} of ${collection?.documents?.size ?? 0} documents`;
}

/**
 * Whether these are buckets that a creation of a time series, having lost a race, left beside an ordinary collection of
 * the series' name. No server lets that be made again, so a restore leaves such buckets out and says so.
 */
export function isStrayBuckets(namespace: string, truth: Truth): boolean {
  const series = namespace.replace('.system.buckets.', '.');
  return (
    series !== namespace && truth.collections.get(series)?.type === 'collection' && truth.collections.has(namespace)
  );
}

/**
 * Beside stray buckets listIndexes on the ordinary collection shows the indexes of the buckets (seen on 6.0): nobody
 * can list its own.
 */
function hidesIndexes(namespace: string, truth: Truth): boolean {
  return isStrayBuckets(namespace.replace('.', '.system.buckets.'), truth);
}

function* compareIndexes(expected: CollectionTruth, actual: CollectionTruth): Generator<string> {
  for (const name of new Set([...expected.indexes.keys(), ...actual.indexes.keys()])) {
    const mine = expected.indexes.get(name);
    const other = actual.indexes.get(name);
    if (mine === undefined) yield `has an index that should not be: ${show(other)}`;
    else if (other === undefined) yield `lacks the index ${show(mine)}`;
    else if (!mine.equals(other)) yield `index is ${show(other)}, should be ${show(mine)}`;
  }
}

function* compareDocuments(
  expected: CollectionTruth,
  actual: CollectionTruth,
  options: CompareOptions,
): Generator<string> {
  if (expected.documents === null || actual.documents === null) return;
  const tolerated = new Set<string>();
  if (expected.order !== null && actual.order !== null) {
    const skipped = options.cappedMayStartLater ? Math.max(0, expected.order.length - actual.order.length) : 0;
    for (const id of expected.order.slice(0, skipped)) tolerated.add(id);
    const at = firstMisplaced(expected.order.slice(skipped), actual.order, options.cappedSlack ?? 0);
    if (at >= 0) yield `natural order differs from place ${at} on`;
  }
  for (const [id, document] of expected.documents) {
    const other = actual.documents.get(id);
    if (other === undefined) {
      if (!tolerated.has(id)) yield `lacks ${show(document)}`;
    } else if (!document.equals(other)) yield differing(id, document, other);
  }
  for (const [id, document] of actual.documents) {
    if (!expected.documents.has(id)) yield `has ${show(document)}, which should not be`;
  }
}

/** The place of the first id that stands further than `slack` from where it should, or -1. */
function firstMisplaced(expected: readonly string[], actual: readonly string[], slack: number): number {
  const places = new Map(actual.map((id, place) => [id, place]));
  return expected.findIndex((id, place) => Math.abs((places.get(id) ?? place) - place) > slack);
}

function differing(id: string, expected: Buffer, actual: Buffer): string {
  // Past the length, which differs whenever anything before its end does.
  let at = 4;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const name = show(documentOfId(Buffer.from(id, 'hex')));
  return `document ${name} differs from byte ${at} on: is ${show(actual)}, should be ${show(expected)}`;
}

function show(raw: Buffer | undefined): string {
  if (raw === undefined) return 'nothing';
  if (raw.length > 100_000) return `a document of ${raw.length} bytes beginning with ${raw.toString('hex', 0, 64)}`;
  try {
    const text = BSON.EJSON.stringify(BSON.deserialize(raw, { promoteValues: false, validation: { utf8: false } }), {
      relaxed: false,
    });
    return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}... (${raw.length} bytes)` : text;
  } catch {
    return raw.toString('hex').slice(0, SHOWN_MAX);
  }
}
