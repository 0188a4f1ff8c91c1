import { takesDiffs } from '../restore-plan.ts';
import { archiveOplog } from './archive-oplog.ts';
import { preludeOf, type WriteArchiveOptions } from './write-archive.ts';

/**
 * Throws a Fault for what no archive can hold: options and indexes of a collection, or a single write, that are larger
 * than readers take. Reads the oplog of a point once more, and keeps nothing of it; so this is known before there is a
 * file, or a link.
 */
export async function requireArchivable(
  options: Pick<WriteArchiveOptions, 'manifest' | 'point' | 'signal'>,
): Promise<void> {
  const { manifest, point, signal } = options;
  for (const _ of preludeOf(options));
  if (point === undefined) return;
  const diffs = takesDiffs(manifest.header.featureCompatibilityVersion);
  for await (const _ of archiveOplog({ ...point, diffs, signal }));
}
