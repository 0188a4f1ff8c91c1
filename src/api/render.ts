import type { Operation, ResourceVersion } from '../../contract/operation.ts';
import type { PageRequest } from '../domain/names.ts';
import type { ListAnswer } from './call.ts';
import { contentTypeOf } from './media-types.ts';
import { flag, pageLinks, type QueryValues } from './paging.ts';

/** From what a handler answers to the bytes of the response. Pure. */

export interface Rendered {
  contentType: string;
  text: string;
}

export function listBody(options: {
  answer: ListAnswer;
  operation: Operation;
  query: QueryValues;
  page: PageRequest;
  href: string;
}): object {
  const { answer, page } = options;
  const { items, totalCount } = answer;
  const hasNext =
    totalCount === undefined ? items.length === page.itemsPerPage : page.pageNum * page.itemsPerPage < totalCount;
  return {
    links: pageLinks({ ...options, hasNext }),
    results: items,
    ...(page.includeCount && totalCount !== undefined ? { totalCount } : {}),
  };
}

/**
 * With `envelope=true` a single object moves into `content` beside its status; a list keeps its shape and gains the
 * status.
 */
function enveloped(operation: Operation, body: object | boolean): object {
  return operation.answers === 'list'
    ? { ...(body as object), status: operation.success }
    : { status: operation.success, content: body };
}

/** How a caller wants its answer. */
export interface AnswerForm {
  envelope: boolean;
  pretty: boolean;
}

/** Asked before the handler runs: what cannot be read is refused before anything is done. */
export function answerForm(operation: Operation, query: QueryValues): AnswerForm {
  return {
    envelope: operation.envelope && flag(query, 'envelope', false),
    pretty: operation.pretty && flag(query, 'pretty', false),
  };
}

export function rendered(
  operation: Operation,
  version: ResourceVersion,
  { envelope, pretty }: AnswerForm,
  body: object | boolean,
): Rendered {
  const wrapped = envelope ? enveloped(operation, body) : body;
  return { contentType: successType(operation, version), text: jsonText(wrapped, pretty) };
}

export function successType(operation: Operation, version: ResourceVersion): string {
  return operation.negotiated ? contentTypeOf(version) : 'application/json;charset=utf-8';
}

export function jsonText(body: object | boolean, pretty: boolean): string {
  return pretty ? `${JSON.stringify(body, null, 2)}\n` : JSON.stringify(body);
}
