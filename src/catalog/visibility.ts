import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import type { Tables } from './schema.ts';

/**
 * What a caller may see of organizations and projects: a project is seen when it is named or its organization is; an
 * organization when it is named or one of its projects is.
 */
export interface Visibility {
  organizationIds: readonly string[];
  projectIds: readonly string[];
}

type Condition<TB extends keyof Tables> = ExpressionWrapper<Tables, TB, SqlBool>;

export function visibleOrganization(
  e: ExpressionBuilder<Tables, 'organizations'>,
  visibleTo: Visibility | 'everything',
): Condition<'organizations'> {
  if (visibleTo === 'everything') return e.and([]);
  const { organizationIds, projectIds } = visibleTo;
  const conditions: Condition<'organizations'>[] = [];
  if (organizationIds.length > 0) conditions.push(e('organizations.id', 'in', organizationIds));
  if (projectIds.length > 0) {
    const ofProjects = e.selectFrom('projects').select('organizationId').where('projects.id', 'in', projectIds);
    conditions.push(e('organizations.id', 'in', ofProjects));
  }
  return e.or(conditions);
}

export function visibleProject(
  e: ExpressionBuilder<Tables, 'projects'>,
  visibleTo: Visibility | 'everything',
): Condition<'projects'> {
  if (visibleTo === 'everything') return e.and([]);
  const conditions: Condition<'projects'>[] = [];
  if (visibleTo.organizationIds.length > 0)
    conditions.push(e('projects.organizationId', 'in', visibleTo.organizationIds));
  if (visibleTo.projectIds.length > 0) conditions.push(e('projects.id', 'in', visibleTo.projectIds));
  return e.or(conditions);
}

/** The name holds the text, whatever its case; an empty text matches all. */
export function nameMatches<TB extends keyof Tables>(
  name: 'organizations.name' | 'projects.name',
  filter: string | undefined,
  e: ExpressionBuilder<Tables, TB>,
): Condition<TB> {
  if (filter === undefined || filter === '') return e.and([]);
  const pattern = `%${filter.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  return e.and([sql<SqlBool>`lower(${sql.ref(name)}) like ${pattern} escape '\\'`]);
}
