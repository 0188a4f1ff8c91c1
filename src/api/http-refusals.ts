import { type Refusal, type RefusedField, refuse } from '../domain/refusals/refusals.ts';

/**
 * Refusals that only the HTTP surface can make; those about backups are in `domain/refusals`. Codes are Atlas's
 * where one was seen. That the roles' refusals are 401 and not 403 is what the real service answers.
 */
export const httpRefusalRules = {
  USER_CANNOT_ACCESS_GROUP: { status: 401, detail: 'User cannot access this group.' },
  USER_CANNOT_ACCESS_ORG: { status: 401, detail: 'User cannot access this organization.' },
  NOT_ORG_GROUP_CREATOR: {
    status: 401,
    detail: 'The currently logged in user does not have the project creator role in this organization.',
  },
  IP_ADDRESS_NOT_ON_ACCESS_LIST: { status: 403, detail: 'IP address {0} is not allowed to access this resource.' },
  TOO_MANY_FAILED_LOGINS: {
    status: 429,
    detail: 'Too many logins from your address have failed. Try again in {0} seconds.',
  },
  USER_UNAUTHORIZED: { status: 401, detail: 'Current user is not authorized to perform this action.' },
  PAYLOAD_TOO_LARGE: { status: 413, detail: 'The request body has more than {0} bytes.' },
  REQUEST_TIMEOUT: { status: 408, detail: 'The request took too long to arrive.' },
  REQUEST_HEADERS_TOO_LARGE: { status: 431, detail: 'The request line and the headers are too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, detail: 'The media type {0} is not supported for a request body.' },
} as const;

export type HttpRefusalCode = keyof typeof httpRefusalRules;

export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly code: HttpRefusalCode;
  readonly status: number;
  readonly detail: string;
  readonly parameters: string[];
  readonly fields: undefined;

  constructor(code: HttpRefusalCode, parameters: string[] = []) {
    const rule = httpRefusalRules[code];
    const detail = rule.detail.replace('{0}', parameters[0] ?? '');
    super(detail);
    this.code = code;
    this.status = rule.status;
    this.detail = detail;
    this.parameters = parameters;
  }
}

/** 400 VALIDATION_ERROR that names what is wrong with which parts of the request. */
export function invalid(fields: readonly RefusedField[]): Refusal {
  const summary = fields.map(({ field, description }) => `${field} ${description}`).join('; ');
  return refuse('VALIDATION_ERROR', [summary], fields);
}
