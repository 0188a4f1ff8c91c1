import type { RefusalRule } from './refusal-rule.ts';

/**
 * Refusals about API keys, service accounts, their access lists, and access to cloud providers. A part of the list in
 * `refusals.ts`.
 */
export const credentialRefusals = {
  PROVIDER_UNSUPPORTED: {
    status: 400,
    detail: 'The cloud provider {0} is not supported here.',
    remedy: 'Say as which service account Tidemark signs in there: `TIDEMARK_GCP_SERVICE_ACCOUNT`.',
  },
  CLOUD_PROVIDER_ACCESS_ROLE_IN_USE: {
    status: 400,
    detail: 'Cloud provider access role {0} is used by export bucket {1}.',
    remedy: 'Delete the export buckets that `featureUsages` names first.',
  },
  API_KEY_NOT_FOUND: {
    status: 404,
    detail: 'No API Key with ID {0} exists.',
    remedy: 'Check the id; a project knows only the keys that have a role in it.',
  },
  SERVICE_ACCOUNT_NOT_FOUND: {
    status: 404,
    detail: 'No service account with client ID {0} exists.',
    remedy: 'Check the client id; a project knows only the accounts that have a role in it.',
  },
  SERVICE_ACCOUNT_SECRET_NOT_FOUND: {
    status: 404,
    detail: 'No secret with ID {0} exists for this service account.',
    remedy: 'The account itself shows its secrets.',
  },
  SERVICE_ACCOUNT_SECRET_LIMIT_REACHED: {
    status: 400,
    detail: 'A service account has at most {0} secrets at a time.',
    remedy: 'Delete the older secret once nobody uses it, then make a new one.',
  },
  CHANGE_SHUTS_OUT_CALLER: {
    status: 400,
    detail: 'After this change whoever asks for it could not call any more from {0}.',
    remedy:
      "Tidemark's own. Add the address that you call from to your own access list first. Whoever runs the host gets in again with `tidemark access reset` and `tidemark key create`.",
  },
  API_KEY_REACHES_BEYOND_PROJECT: {
    status: 403,
    detail: 'API key {0} has roles beyond group {1} and is described from its organization only.',
    remedy: "Tidemark's own. A project changes the roles that the key has in it, and nothing else about it.",
  },
  SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: {
    status: 403,
    detail: 'Service account {0} has roles beyond group {1} and is managed from its organization only.',
    remedy:
      "Tidemark's own: whoever makes a secret for an account can call with all of its rights. To share the account of a project, give it a role in the organization first; it is the organization's from then on.",
  },
  CANNOT_REMOVE_LAST_OWNER: {
    status: 409,
    detail: 'Organization {0} would be left without a caller that owns it.',
    remedy: "Tidemark's own. Make another API key or service account with ORG_OWNER first.",
  },
  ACCESS_LIST_ENTRY_NOT_FOUND: {
    status: 404,
    detail: 'The address {0} is not on this access list.',
    remedy: 'Networks are kept by their first address: 10.1.2.3/8 is 10.0.0.0/8.',
  },
} as const satisfies Record<string, RefusalRule>;
