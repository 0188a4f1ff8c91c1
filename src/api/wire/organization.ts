import type {
  Organization as OrganizationBody,
  OrganizationSettings as OrganizationSettingsBody,
  Project as ProjectBody,
} from '../../../contract/organizations.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ProjectSettings as ProjectSettingsBody } from '../../../contract/projects.ts';
import type { Organization, OrganizationSettings } from '../../domain/organizations/organizations.ts';
import type { Project } from '../../domain/projects/projects.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';

export function organizationBody(organization: Organization, links: LinkBuilder): ShapeOf<typeof OrganizationBody> {
  return {
    id: organization.id,
    isDeleted: false,
    links: [links.self(`/orgs/${organization.id}`), links.to('groups', `/orgs/${organization.id}/groups`)],
    name: organization.name,
    skipDefaultAlertsSettings: false,
  };
}

export function projectBody(project: Project, links: LinkBuilder): ShapeOf<typeof ProjectBody> {
  return {
    clusterCount: project.clusterCount,
    created: isoSeconds(project.createdAtMs),
    id: project.id,
    links: [links.self(`/groups/${project.id}`), links.to('clusters', `/groups/${project.id}/clusters`)],
    name: project.name,
    orgId: project.organizationId,
    tags: project.settings.tags ?? [],
    withDefaultAlertsSettings: project.settings.withDefaultAlerts ?? true,
  };
}

export function organizationSettingsBody(settings: OrganizationSettings): ShapeOf<typeof OrganizationSettingsBody> {
  const { securityContact } = settings;
  return {
    apiAccessListRequired: settings.apiAccessListRequired ?? false,
    genAIFeaturesEnabled: settings.genAIFeaturesEnabled ?? false,
    maxServiceAccountSecretValidityInHours: settings.maxServiceAccountSecretValidityInHours ?? null,
    // There are no users whose second factor could be asked for.
    multiFactorAuthRequired: false,
    restrictEmployeeAccess: settings.restrictEmployeeAccess ?? false,
    ...(securityContact === undefined ? {} : { securityContact }),
  };
}

export function projectSettingsBody({ settings }: Project): ShapeOf<typeof ProjectSettingsBody> {
  const on = (name: keyof ShapeOf<typeof ProjectSettingsBody>) => settings.switches?.[name] ?? false;
  return {
    isClusterAiAssistantEnabled: on('isClusterAiAssistantEnabled'),
    isCollectDatabaseSpecificsStatisticsEnabled: on('isCollectDatabaseSpecificsStatisticsEnabled'),
    isDataExplorerEnabled: on('isDataExplorerEnabled'),
    isDataExplorerGenAIFeaturesEnabled: on('isDataExplorerGenAIFeaturesEnabled'),
    isDataExplorerGenAISampleDocumentPassingEnabled: on('isDataExplorerGenAISampleDocumentPassingEnabled'),
    isDataValidationEnabled: on('isDataValidationEnabled'),
    isExtendedStorageSizesEnabled: on('isExtendedStorageSizesEnabled'),
    isNativeRerankingEnabled: on('isNativeRerankingEnabled'),
    isPerformanceAdvisorEnabled: on('isPerformanceAdvisorEnabled'),
    isRealtimePerformancePanelEnabled: on('isRealtimePerformancePanelEnabled'),
    isSchemaAdvisorEnabled: on('isSchemaAdvisorEnabled'),
  };
}
