import type { ClusterName, Page } from '../domain/names.ts';
import type { ListAnswer } from './call.ts';

/** A page of rows as the answer of a list. */
export function mapped<Row>(page: Page<Row>, body: (row: Row) => object): ListAnswer {
  const items = page.items.map(body);
  return page.totalCount === undefined ? { items } : { items, totalCount: page.totalCount };
}

/** The cluster that a path names, in the domain's words. */
export function clusterOf(params: { groupId: string; clusterName: string }): ClusterName {
  return { projectId: params.groupId, clusterName: params.clusterName };
}
