import type { ReportProgress } from '../../../lib/progress.ts';
import type { Manifest } from '../../../repository/format/manifest.ts';
import { checkSnapshot } from '../../../repository/upkeep/check.ts';
import { tryToNoteAllVerified, wasVerifiedWithin } from '../../../repository/verifications.ts';
import { damagedSnapshot } from '../damaged-snapshot.ts';
import type { RestoreSnapshotOptions } from '../restore-snapshot.ts';

type Options = Pick<
  RestoreSnapshotOptions,
  'repository' | 'clusterId' | 'snapshotId' | 'verifyContent' | 'verifiedWithinMs' | 'signal' | 'log'
>;

/** Whether every blob is to be read before the target is touched, or was lately. */
export async function isContentToBeRead(options: Options): Promise<boolean> {
  const { repository, signal, verifyContent, verifiedWithinMs = 0, snapshotId, log } = options;
  if (!verifyContent) return false;
  if (!(await wasVerifiedWithin(repository, options, verifiedWithinMs, { signal }))) return true;
  log.info({ snapshotId, withinMs: verifiedWithinMs }, 'every blob was read lately, and is not read twice');
  return false;
}

/**
 * Everything that will be read is there, of the right size and, where asked for, of the right content, which is noted
 * then. `isPart`: the manifest is of one shard; the snapshot is noted when all were read.
 */
export async function requireSound(
  options: Options & { isPart: boolean; report: ReportProgress },
  manifest: Manifest,
): Promise<void> {
  const { repository, snapshotId, signal, report, verifyContent } = options;
  const problems = await checkSnapshot(repository, manifest, { readData: verifyContent, signal, report });
  if (problems.length > 0) throw damagedSnapshot('restore', snapshotId, problems);
  if (verifyContent && !options.isPart) await tryToNoteVerified(options);
}

/** A repository that cannot be written to can be restored from all the same. */
export async function tryToNoteVerified(options: Options): Promise<void> {
  const { repository, clusterId, snapshotId, signal, log } = options;
  const reason = await tryToNoteAllVerified(repository, [{ clusterId, snapshotId }], { signal });
  if (reason !== null) log.warn({ snapshotId, reason }, 'that every blob was read could not be noted');
}
