import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about projects. A part of the list in `refusals.ts`. */
export const projectRefusals = {
  GROUP_NOT_FOUND: {
    status: 404,
    detail: 'No group with ID {0} exists.',
    remedy: 'Check the project id; `GET /groups` lists those you may see.',
  },
  GROUP_NAME_NOT_FOUND: {
    status: 404,
    detail: 'No group with name "{0}" exists.',
    remedy: 'Check the project name; `GET /groups` lists those you may see.',
  },
  GROUP_ALREADY_EXISTS: {
    status: 409,
    detail: 'A group with name "{0}" already exists.',
    remedy: 'Project names are unique in the whole service.',
  },
  CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS: {
    status: 409,
    detail: 'Group {0} cannot be closed while it has clusters.',
    remedy: 'Remove its clusters first.',
  },
  CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS: {
    status: 409,
    detail: 'Group {0} cannot be closed while it has backups.',
    remedy: 'Snapshots were kept when their cluster was removed: delete them first, or let them expire.',
  },
} as const satisfies Record<string, RefusalRule>;
