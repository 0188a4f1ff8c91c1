import type { Static, TSchema } from '@sinclair/typebox';

/**
 * Roles as the API and the CLI name them. The seed pages speak of "Project Atlas Admin" where today's document says
 * "Project Backup Manager": both are here.
 */
export type ProjectRole =
  | 'GROUP_OWNER'
  | 'GROUP_READ_ONLY'
  | 'GROUP_ATLAS_ADMIN'
  | 'GROUP_CLUSTER_MANAGER'
  | 'GROUP_BACKUP_MANAGER'
  | 'GROUP_BACKUP_CREATOR'
  | 'GROUP_BACKUP_EXPORT_OPERATOR'
  | 'GROUP_BACKUP_RECOVERY_OPERATOR';

export type OrganizationRole = 'ORG_OWNER' | 'ORG_GROUP_CREATOR' | 'ORG_READ_ONLY' | 'ORG_MEMBER';

/**
 * Who may call. `anyOf`: one of these roles in the project (or organization) that the path names. `caller`: anybody
 * with a valid credential, who sees only what is theirs.
 */
export type Access =
  | { scope: 'project'; anyOf: readonly ProjectRole[] }
  | { scope: 'organization'; anyOf: readonly OrganizationRole[] }
  | { scope: 'caller' };

/**
 * One published shape of a resource. `date` is its release date and the name of its media type; a later one supersedes
 * it. `sunset` is when Atlas stops serving it (we keep serving it: clients are pinned to it). `deprecated` is only for
 * a version that nothing superseded.
 */
export interface ResourceVersion {
  date: string;
  deprecated?: string;
  sunset?: string;
  request?: TSchema;
  response: TSchema | null;
}

export type QueryParameter = { type: 'integer'; minimum: number } | StringParameter | { type: 'boolean' };

/** Free text, one of `values`, or text of a pattern. */
export interface StringParameter {
  type: 'string';
  values?: readonly string[];
  pattern?: string;
}

export interface Operation {
  /** Other names under which clients know it: the CLI's and the SDK's. */
  aliases: readonly string[];
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** From the root, parameters in braces. */
  path: string;
  access: Access;
  /**
   * Oldest first. Without versions the operation is ours (`/api/tidemark/v1`) or a plain one: application/json, no
   * negotiation.
   */
  versions: readonly [ResourceVersion, ...ResourceVersion[]];
  negotiated: boolean;
  success: 200 | 201 | 202 | 204;
  answers: 'one' | 'list' | 'nothing';
  envelope: boolean;
  pretty: boolean;
  /**
   * `counted`: itemsPerPage, pageNum and includeCount. `uncounted`: without includeCount, the count always there.
   * `none`: a list that comes whole.
   */
  paging: 'counted' | 'uncounted' | 'none';
  query: Readonly<Record<string, QueryParameter>>;
  /**
   * True where the reference documents 400: a malformed id or name in the path then answers VALIDATION_ERROR, elsewhere
   * the 404 of the thing it names.
   */
  documents400: boolean;
  /** Answers with the `Location` that Atlas was recorded to send, which leads nowhere there either. */
  location?: boolean;
  /** An empty body counts as one that asks for nothing. */
  bodyOptional?: boolean;
  /** Error codes of its own, beyond those that any operation can answer. */
  errorCodes: readonly string[];
}

export type OperationTable = Readonly<Record<string, Operation>>;

/** Keeps the literal types, so that handlers can be typed from them. */
export function defineOperations<const Table extends OperationTable>(table: Table): Table {
  return table;
}

/** Names of the path's parameters. */
export type PathParameter<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathParameter<Rest>
  : never;

/** What a handler gets as body: the union of the request shapes of all versions. */
export type RequestBody<Op extends Operation> = Op['versions'][number] extends infer Version
  ? Version extends { request: infer Schema extends TSchema }
    ? Static<Schema>
    : never
  : never;

/** Defaults that most operations share. */
export const reading = {
  method: 'GET',
  negotiated: true,
  success: 200,
  answers: 'one',
  envelope: true,
  pretty: true,
  paging: 'none',
  query: {},
  documents400: false,
  errorCodes: [],
} as const;

export const listing = { ...reading, answers: 'list', paging: 'counted' } as const;

/** Names inside a snapshot are what MongoDB takes: anything without a NUL. */
const mongoName = /^[^\0]{1,330}$/;

/** Whether it is one is for whoever looks it up. */
const addressOrNetwork = /^[0-9a-fA-F.:]{2,45}(\/\d{1,3})?$/;

export const pathParameterPattern: Readonly<Record<string, RegExp>> = {
  clientId: /^mdb_sa_id_[a-fA-F0-9]{24}$/,
  cloudProvider: /^(AWS|AZURE|GCP)$/,
  entryValue: addressOrNetwork,
  ipAddress: addressOrNetwork,
  databaseName: mongoName,
  collectionName: mongoName,
  sourceNamespace: mongoName,
  clusterName: /^[a-zA-Z0-9][a-zA-Z0-9-]*$/,
  name: /^[a-zA-Z0-9][a-zA-Z0-9-]*$/,
  groupName: /^[\p{L}\p{N}\-_.(),:&@+' ]{1,64}$/u,
};

const objectId = /^[a-f0-9]{24}$/;

/** The rule for a path parameter: names by their own rule, everything else is an id. */
export function patternOf(parameter: string): RegExp {
  return pathParameterPattern[parameter] ?? objectId;
}
