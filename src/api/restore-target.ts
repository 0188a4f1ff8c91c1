import type { ProjectRole } from '../auth/roles.ts';
import { Refusal, refuse } from '../domain/refusals/refusals.ts';

/**
 * A restore replaces data, so the role is needed where it lands too. A target project that the caller cannot see is
 * refused like one that is not there.
 */
export async function mayRestoreIntoTarget(request: {
  groupId: string;
  targetGroupId: string | undefined;
  targetClusterName: string | undefined;
  rolesInProjectNamed: (projectId: string) => Promise<ReadonlySet<ProjectRole>>;
}): Promise<void> {
  const { groupId, targetGroupId, targetClusterName, rolesInProjectNamed } = request;
  if (targetGroupId === undefined || targetGroupId === groupId) return;
  const refusal = refuse('CANNOT_RESTORE_TO_TARGET', [targetClusterName ?? '', targetGroupId]);
  const roles = await rolesInProjectNamed(targetGroupId).catch((error: unknown) => {
    if (error instanceof Refusal) throw refusal;
    throw error;
  });
  if (!roles.has('GROUP_BACKUP_RECOVERY_OPERATOR')) throw refusal;
}
