import { STATUS_CODES } from 'node:http';
import { Refusal, refuse } from '../domain/refusals/refusals.ts';
import { describeError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { HttpRefusal } from './http-refusals.ts';

/**
 * The only place that turns an error into an answer. Bodies are plain JSON, whatever was asked for: clients read
 * `errorCode` from nothing else.
 */
export interface Problem {
  status: number;
  headers: Record<string, string>;
  body: ApiErrorBody;
}

export interface ApiErrorBody {
  badRequestDetail?: { fields: { description: string; field: string }[] };
  detail: string;
  error: number;
  errorCode: string;
  parameters?: string[];
  reason: string;
}

function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

export function problemOfRefusal(refusal: Refusal | HttpRefusal): Problem {
  const { status, code, detail, parameters, fields } = refusal;
  const body: ApiErrorBody = { detail, error: status, errorCode: code, parameters, reason: reasonOf(status) };
  if (fields !== undefined) {
    body.badRequestDetail = { fields: fields.map(({ field, description }) => ({ description, field })) };
  }
  return { status, headers: { 'X-Error-Code': code }, body };
}

/**
 * The answer to a request without a valid credential. It comes from in front of the API, so its shape is its own: no
 * parameters, no code header. The digest challenge is the only one, because digest clients read no further than the
 * first.
 */
export function unauthenticated(challenge: string): Problem {
  return {
    status: 401,
    headers: { 'WWW-Authenticate': challenge },
    body: {
      detail: 'You are not authorized for this resource.',
      error: 401,
      errorCode: 'UNEXPECTED_ERROR',
      reason: reasonOf(401),
    },
  };
}

/** What of an error the HTTP library throws before a handler runs is the caller's fault. Null: ours. */
function refusalOfFramework(error: unknown, bodyBytesMax: number): Refusal | HttpRefusal | null {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return null;
  const { statusCode, code } = error as Error & { statusCode: unknown; code: unknown };
  if (typeof code !== 'string' || !code.startsWith('FST_ERR_') || typeof statusCode !== 'number') return null;
  if (statusCode === 413) return new HttpRefusal('PAYLOAD_TOO_LARGE', [String(bodyBytesMax)]);
  if (statusCode === 415) return new HttpRefusal('UNSUPPORTED_MEDIA_TYPE', ['of the request']);
  if (statusCode === 404) return refuse('RESOURCE_NOT_FOUND', ['']);
  if (statusCode >= 400 && statusCode < 500) return refuse('VALIDATION_ERROR', ['The request cannot be read']);
  return null;
}

/**
 * Errors that are not refusals are logged in full under the request's id and told to the caller as one code without a
 * word of what happened.
 */
export function problemOf(
  error: unknown,
  context: {
    requestId: string;
    operationId: string | undefined;
    bodyBytesMax: number;
    /** Nobody is there to be told, and most likely that is what failed. */
    clientIsGone: boolean;
    log: Logger;
  },
): Problem {
  if (error instanceof Refusal || error instanceof HttpRefusal) return problemOfRefusal(error);
  const refusal = refusalOfFramework(error, context.bodyBytesMax);
  if (refusal !== null) return problemOfRefusal(refusal);
  const { requestId, operationId, clientIsGone, log } = context;
  if (clientIsGone) {
    log.debug({ requestId, operationId, reason: describeError(error) }, 'a request ended with its client');
    return problemOfRefusal(refuse('UNEXPECTED_ERROR'));
  }
  log.error({ requestId, operationId, err: error, reason: describeError(error) }, 'a request failed');
  return problemOfRefusal(refuse('UNEXPECTED_ERROR'));
}
