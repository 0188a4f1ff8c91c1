import { type Operation, patternOf, type ResourceVersion } from '../../contract/operation.ts';
import { problemsOf } from '../../contract/validate.ts';
import { refuse } from '../domain/refusals/refusals.ts';
import { HttpRefusal, invalid } from './http-refusals.ts';
import { bodyType } from './media-types.ts';

/** Checking the path and the body of a request against the contract. Pure. */

/**
 * Malformed ids and names: 400 where the operation documents one, else the 404 of the thing that cannot exist under
 * such a name.
 */
export function checkedParams(
  operation: Operation,
  raw: Readonly<Record<string, string>>,
  path: string,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(raw)) {
    if (patternOf(name).test(value)) continue;
    if (operation.documents400) throw invalid([{ field: name, description: 'has an invalid format' }]);
    if (name === 'groupId') throw refuse('GROUP_NOT_FOUND', [value]);
    if (name === 'clusterName') throw refuse('CLUSTER_NOT_FOUND', [value, raw.groupId ?? '']);
    throw refuse('RESOURCE_NOT_FOUND', [path]);
  }
  return raw;
}

const depthMax = 32;

/** Without fields that are null: clients spell absent fields so. Arrays keep theirs. */
function withoutNulls(value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object' || depth > depthMax) return value;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, withoutNulls(value, depth + 1)]),
  );
}

function parsed(text: string, wantsList: boolean): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('VALIDATION_ERROR', ['The request body is not valid JSON']);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value) !== wantsList) {
    throw refuse('VALIDATION_ERROR', [`The request body must be a JSON ${wantsList ? 'array' : 'object'}`]);
  }
  return value;
}

type Schema = NonNullable<ResourceVersion['request']>;

/** With the words of `anyCase` fields in upper case, as handlers know them. */
function inKnownCase(schema: Schema, body: unknown): unknown {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return body;
  const properties: Record<string, Schema> = schema.properties ?? {};
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      const known = properties[name]?.anyCase === true && typeof value === 'string';
      return [name, known ? value.toUpperCase() : value];
    }),
  );
}

/**
 * The body, checked against its version's schema; undefined for an operation that takes none. Fields that the schema
 * does not name, the read-only ones that clients echo among them, are let through unread.
 */
export function checkedBody(
  operation: Operation,
  request: { contentType: string | undefined; text: string; accepted: ResourceVersion; nowMs: number },
): unknown {
  if (!operation.versions.some((version) => version.request !== undefined)) return undefined;
  const type = bodyType(operation.versions, request.contentType, request.accepted, request.nowMs);
  if (type === 'unsupported') throw new HttpRefusal('UNSUPPORTED_MEDIA_TYPE', [request.contentType ?? '']);
  if (type === 'badVersion') throw refuse('INVALID_VERSION_DATE');
  const schema = type.version.request;
  if (request.text.trim() === '') {
    if (operation.bodyOptional === true) return {};
    throw refuse('VALIDATION_ERROR', ['The request body is missing']);
  }
  if (schema === undefined) return withoutNulls(parsed(request.text, false));
  const body = inKnownCase(schema, withoutNulls(parsed(request.text, schema.type === 'array')));
  const problems = problemsOf(schema, body);
  const missing = problems.find((problem) => problem.missing);
  if (missing !== undefined) throw refuse('MISSING_ATTRIBUTE', [missing.field]);
  if (problems.length > 0) throw invalid(problems.map(({ field, description }) => ({ field, description })));
  return body;
}
