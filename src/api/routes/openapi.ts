import type { Operation, QueryParameter, ResourceVersion } from '../../../contract/operation.ts';
import { patternOf } from '../../../contract/operation.ts';
import { ApiError } from '../../../contract/primitives.ts';
import { contentTypeOf } from '../media-types.ts';

/**
 * The OpenAPI 3.1 document of the service, made from the contract: there is nothing in it that requests are not checked
 * by. Pure.
 */

type Json = Record<string, unknown>;

const statusText: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  409: 'Conflict',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};
/**
 * What any operation can answer; 400 where the reference documents it or there is a body or a parameter to be wrong.
 */
const commonErrors = [401, 403, 404, 429, 500] as const;

export function openApiDocument(
  operations: Readonly<Record<string, Operation>>,
  about: { version: string; url: string; statusOf: (code: string) => number | undefined },
): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, operation] of Object.entries(operations)) {
    const method = operation.method.toLowerCase();
    const described = operationObject(operationId, operation, about.statusOf);
    paths[operation.path] = { ...paths[operation.path], [method]: described };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidemark',
      version: about.version,
      description: 'The operations of the MongoDB Atlas Administration API that Tidemark serves, and its own.',
    },
    servers: [{ url: about.url }],
    security: [{ digest: [] }, { serviceAccount: [] }],
    paths,
    components: {
      schemas: { ApiError: plain(ApiError) },
      responses: Object.fromEntries(
        [400, ...commonErrors, 405, 406, 409].map((status) => [String(status), errorResponse(status)]),
      ),
      securitySchemes: {
        digest: { type: 'http', scheme: 'digest' },
        serviceAccount: {
          type: 'oauth2',
          flows: { clientCredentials: { tokenUrl: '/api/oauth/token', scopes: {} } },
        },
      },
    },
  };
}

function operationObject(
  operationId: string,
  operation: Operation,
  statusOf: (code: string) => number | undefined,
): Json {
  const { access, aliases, errorCodes, versions } = operation;
  const body = requestBody(operation);
  const errors = new Set<number>([...commonErrors, ...(operation.negotiated ? [406] : [])]);
  if (operation.documents400 || body !== undefined || operation.paging !== 'none') errors.add(400);
  for (const code of errorCodes) errors.add(statusOf(code) ?? 400);
  return {
    operationId,
    ...(versions.every(({ deprecated }) => deprecated !== undefined) ? { deprecated: true } : {}),
    parameters: [...pathParameters(operation), ...queryParameters(operation)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      [operation.success]: successResponse(operation),
      ...Object.fromEntries(
        [...errors].sort().map((status) => [String(status), { $ref: `#/components/responses/${status}` }]),
      ),
    },
    ...(aliases.length === 0 ? {} : { 'x-aliases': aliases }),
    ...('anyOf' in access ? { 'x-roles': access.anyOf } : {}),
    ...(errorCodes.length === 0 ? {} : { 'x-error-codes': errorCodes }),
  };
}

function pathParameters({ path }: Operation): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: patternOf(name).source },
  }));
}

function queryParameters({ envelope, pretty, paging, query }: Operation): Json[] {
  const parameter = (name: string, schema: Json): Json => ({ name, in: 'query', required: false, schema });
  const paged = paging === 'none' ? [] : [parameter('itemsPerPage', size), parameter('pageNum', number)];
  return [
    ...(envelope ? [parameter('envelope', no)] : []),
    ...(pretty ? [parameter('pretty', no)] : []),
    ...paged,
    ...(paging === 'counted' ? [parameter('includeCount', { type: 'boolean', default: true })] : []),
    ...Object.entries(query).map(([name, rule]) => parameter(name, querySchema(rule))),
  ];
}

const no = { type: 'boolean', default: false };
const size = { type: 'integer', minimum: 1, maximum: 500, default: 100 };
const number = { type: 'integer', minimum: 0, default: 1 };

function querySchema(rule: QueryParameter): Json {
  if (rule.type !== 'string') return { ...rule };
  const { values, pattern } = rule;
  return {
    type: 'string',
    ...(values === undefined ? {} : { enum: values }),
    ...(pattern === undefined ? {} : { pattern }),
  };
}

function mediaTypeOf(operation: Operation, version: ResourceVersion): string {
  return operation.negotiated ? contentTypeOf(version).replace(/;.*$/, '') : 'application/json';
}

function requestBody(operation: Operation): Json | undefined {
  const content = operation.versions.flatMap((version) =>
    version.request === undefined ? [] : [[mediaTypeOf(operation, version), { schema: plain(version.request) }]],
  );
  return content.length === 0 ? undefined : { required: true, content: Object.fromEntries(content) };
}

function successResponse(operation: Operation): Json {
  const content = operation.versions.map((version) => [
    mediaTypeOf(operation, version),
    { ...(version.response === null ? {} : { schema: plain(version.response) }), ...sunsetOf(version) },
  ]);
  return { description: statusText[operation.success] ?? '', content: Object.fromEntries(content) };
}

function sunsetOf({ sunset }: ResourceVersion): Json {
  return sunset === undefined ? {} : { 'x-sunset': sunset };
}

function errorResponse(status: number): Json {
  return {
    description: statusText[status] ?? 'Refused',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/ApiError' } } },
  };
}

/** Schemas carry marks of the library that made them, which are symbols: JSON has none. */
function plain(schema: object): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}
