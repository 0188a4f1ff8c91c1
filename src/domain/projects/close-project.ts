import { deleteAccessListOf } from '../../catalog/access-lists.ts';
import type { CatalogWriter } from '../../catalog/catalog.ts';
import { deleteCloudProviderAccessRolesOf } from '../../catalog/cloud-provider-access-roles.ts';
import { deleteExportBucketsOf } from '../../catalog/export-buckets.ts';
import { hasUnfinishedExportOfProject } from '../../catalog/export-jobs.ts';
import { markProjectDeleted } from '../../catalog/projects.ts';
import { deleteRoleAssignmentsOfProject } from '../../catalog/role-assignments.ts';
import { hasSnapshotsOfProject } from '../../catalog/snapshots.ts';
import type { DomainContext } from '../context.ts';
import { requireProject } from '../find-resource.ts';
import { requireProjectMayClose } from '../policies/enforcement.ts';
import { refuse } from '../refusals/refusals.ts';

/**
 * Deletes a project that holds nothing any more. Backups that were kept when their cluster went are not nothing: they
 * are deleted by whoever wants that, one by one, and not in passing. Whatever else forbids it belongs here.
 */
export async function closeProject(writer: CatalogWriter, context: DomainContext, projectId: string): Promise<void> {
  const nowMs = context.clock.nowMs();
  const project = await requireProject(writer, projectId);
  await requireProjectMayClose(writer, projectId);
  if (project.clusterCount > 0) throw refuse('CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS', [projectId]);
  if (await hasSnapshotsOfProject(writer, projectId)) throw refuse('CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS', [projectId]);
  if (await hasUnfinishedExportOfProject(writer, projectId))
    throw refuse('CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS', [projectId]);
  await deleteExportBucketsOf(writer, projectId, nowMs);
  await deleteCloudProviderAccessRolesOf(writer, projectId, nowMs);
  await deleteAccessListOf(writer, { kind: 'project', id: projectId });
  await deleteRoleAssignmentsOfProject(writer, projectId);
  await markProjectDeleted(writer, project, nowMs);
}
