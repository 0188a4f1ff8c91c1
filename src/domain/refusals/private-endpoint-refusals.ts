import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about object-storage private endpoints: a part of the closed list in `refusals.ts`. */
export const privateEndpointRefusals = {
  PRIVATE_ENDPOINT_NOT_FOUND: {
    status: 404,
    detail: 'No object-storage private endpoint with ID {0} exists in group {1}.',
    remedy: "Tidemark's own code. The list of private endpoints has the ids.",
  },
  PRIVATE_ENDPOINT_ALREADY_EXISTS: {
    status: 409,
    detail: 'An object-storage private endpoint in region {0} already exists in group {1}.',
    remedy: "Tidemark's own code. A project has one in each region: use it, or delete it first.",
  },
} as const satisfies Record<string, RefusalRule>;
