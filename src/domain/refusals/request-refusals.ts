import type { RefusalRule } from './refusal-rule.ts';

/** What a request is refused with, whatever it is about. A part of the list in `refusals.ts`. */
export const requestRefusals = {
  VALIDATION_ERROR: {
    status: 400,
    detail: 'The request content produced the validation error: {0}.',
    remedy: 'A field has a value that the operation does not take; `badRequestDetail` names it.',
  },
  MISSING_ATTRIBUTE: {
    status: 400,
    detail: 'The required attribute {0} was not specified.',
    remedy: 'The kind of request needs one more field; send it.',
  },
  FEATURE_UNSUPPORTED: {
    status: 400,
    detail: 'The feature is not supported here: {0}.',
    remedy: 'Tidemark backs up clusters that others run: what it cannot do or see to it refuses instead of pretending.',
  },
  RESOURCE_NOT_FOUND: {
    status: 404,
    detail: 'Cannot find resource {0}.',
    remedy: 'The path names no operation that is served here, or an object that does not exist.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    detail: 'The method {0} is not allowed for this resource.',
    remedy: 'Use the method that the operation is documented with.',
  },
  INVALID_VERSION_DATE: {
    status: 406,
    detail: 'Invalid accept header or version date.',
    remedy: 'Send `Accept: application/vnd.atlas.YYYY-MM-DD+json` with a date on which the operation exists.',
  },
  RATE_LIMITED: {
    status: 429,
    detail: 'Too many requests; try again later.',
    remedy: 'Slow down; the answer says when to come back.',
  },
  UNEXPECTED_ERROR: {
    status: 500,
    detail: 'Unexpected error.',
    remedy: 'Something failed on our side; the log of the service says what.',
  },
} as const satisfies Record<string, RefusalRule>;
