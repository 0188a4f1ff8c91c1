import { Damage } from '../../lib/errors.ts';
import type { CheckProblem } from '../../repository/upkeep/check.ts';

/** What ends a restore that would read what is missing or spoiled, before it touches its target. */
export function damagedSnapshot(op: string, snapshotId: string, problems: readonly CheckProblem[]): Damage {
  return new Damage({
    op,
    subject: snapshotId,
    message: `snapshot ${snapshotId} is damaged (${problems.length} problem${problems.length === 1 ? '' : 's'}; the first: ${problems[0]?.problem}); the target was not touched`,
    hint: 'Run `tidemark repository check --read-data` for the full list and restore another snapshot',
  });
}
