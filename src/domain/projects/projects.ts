import type { ProjectSettings } from '../../catalog/projects.ts';
import type { PrincipalKind, ProjectRow } from '../../catalog/schema.ts';
import type { Page, PageRequest, Visibility } from '../names.ts';

export type { ProjectSettings, Tag } from '../../catalog/projects.ts';

export type Project = Omit<ProjectRow, 'settings' | 'deletedAtMs'> & {
  settings: ProjectSettings;
  clusterCount: number;
};

export interface Projects {
  list(query: {
    visibleTo: Visibility | 'everything';
    organizationId?: string;
    nameFilter?: string;
    page: PageRequest;
  }): Promise<Page<Project>>;
  get(projectId: string): Promise<Project>;
  getByName(name: string): Promise<Project>;
  /** With `owner`, who may then do everything in it. */
  create(request: {
    organizationId: string;
    name: string;
    settings?: ProjectSettings;
    owner?: { kind: PrincipalKind; id: string };
  }): Promise<Project>;
  /** What is left out stays; of `switches` too. */
  update(request: { projectId: string; name?: string; settings?: ProjectSettings }): Promise<Project>;
  /** Refused while it has clusters or backups. */
  delete(projectId: string): Promise<void>;
}
