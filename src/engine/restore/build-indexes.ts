import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { findElement } from '../../bson/raw-bson.ts';
import { refusalOf } from '../../mongo/errors.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { indexesToBuild } from '../index-specifications.ts';
import type { RestoreLosses } from './losses.ts';

const BUCKETS = 'system.buckets.';

export interface BuildIndexesOptions {
  losses: RestoreLosses;
  /** What to throw instead, where a refusal has another cause than the index. */
  otherCause?(error: unknown): Promise<unknown | null>;
}

/** Builds the indexes of a collection of the snapshot: see `buildEachIndex`. */
export async function buildIndexes(
  target: RestoreTarget,
  entry: CollectionEntry,
  options: BuildIndexesOptions,
): Promise<number> {
  const specifications = indexesToBuild(entry.indexes, entry.info);
  return await buildEachIndex(target, { into: entry, namespace: shownAs(entry), specifications }, options);
}

/**
 * Builds indexes, all at once; where the target refuses that, one by one, so that only those are missing that it cannot
 * have. Those are named as of `namespace`. Returns how many there are.
 */
export async function buildEachIndex(
  target: RestoreTarget,
  { into, namespace, specifications }: { into: Namespace; namespace: string; specifications: readonly Buffer[] },
  { losses, otherCause = async () => null }: BuildIndexesOptions,
): Promise<number> {
  if (specifications.length === 0) return 0;
  const { db, name } = into;
  try {
    await target.createIndexes(db, name, specifications, 'refuse');
    return specifications.length;
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    const other = await otherCause(error);
    if (other !== null) throw other;
  }
  let built = 0;
  for (const specification of specifications) {
    const item = { namespace, kind: 'index', name: nameOf(specification) } as const;
    const done = await losses.unlessRefused(item, async () => {
      const { droppedOptions } = await target.createIndexes(db, name, [specification]);
      if (droppedOptions) losses.add({ ...item, problem: 'built without options that the target does not know' });
    });
    if (done) built++;
  }
  return built;
}

/** The indexes of a time series are those of its buckets. */
function shownAs({ db, name }: CollectionEntry): string {
  return formatNamespace({ db, name: name.startsWith(BUCKETS) ? name.slice(BUCKETS.length) : name });
}

function nameOf(specification: Buffer): string {
  const name = findElement(specification, 0, 'name');
  return name === null ? '' : specification.toString('utf8', name.start + 4, name.end - 1);
}
