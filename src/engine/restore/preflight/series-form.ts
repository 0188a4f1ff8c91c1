import { Fault } from '../../../lib/errors.ts';

/** The target makes time series that have no buckets to load. */
export class NoBuckets extends Fault {
  override readonly name = 'NoBuckets';
}

/**
 * Refuses a target whose time series, the one just made, has no bucket collection: from MongoDB 9.0 on it is one
 * collection under its own name, and what a snapshot holds of the source's would have no place there. Pure.
 */
export function requireBuckets(
  made: ReadonlySet<string>,
  buckets: string,
  { op, name }: { op: string; name: string },
): void {
  if (made.has(buckets)) return;
  throw new NoBuckets({
    op,
    subject: name,
    message: `${name} makes time series without a view (MongoDB 9.0 and newer), into which this version of Tidemark cannot restore one; no data of it was touched`,
    hint: 'Set the feature compatibility version of the target to that of MongoDB 8 for the restore, or restore the other collections by `tidemark collection restore`',
  });
}
