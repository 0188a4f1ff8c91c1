import type { Operation, PathParameter, QueryParameter, RequestBody } from '../../contract/operation.ts';
import type { Caller, ProjectRole } from '../auth/roles.ts';
import type { Asking } from '../domain/credentials/still-admitted.ts';
import type { Domain } from '../domain/domain.ts';
import type { PageRequest } from '../domain/names.ts';
import type { Project } from '../domain/projects/projects.ts';
import type { LinkBuilder } from './links.ts';

/** The values of an operation's own query parameters. */
export type OwnQuery<Op extends Operation> = {
  readonly [Name in keyof Op['query']]?: ParameterValue<Op['query'][Name]>;
};

type ParameterValue<Rule extends QueryParameter> = Rule['type'] extends 'integer'
  ? number
  : Rule['type'] extends 'boolean'
    ? boolean
    : string;

/** Where Atlas would keep it. */
export type CloudProvider = 'AWS' | 'AZURE' | 'GCP';

export interface ServiceFacts {
  version: string;
  /** Whose object store the repository is in; null for a directory. */
  storedAt: CloudProvider | null;
}

/** What a handler gets: everything checked, nothing of HTTP left. */
export interface Call<Op extends Operation = Operation> {
  params: Readonly<Record<PathParameter<Op['path']>, string>>;
  query: OwnQuery<Op>;
  page: PageRequest;
  body: RequestBody<Op>;
  /** Date of the version in which the answer is written. */
  version: Op['versions'][number]['date'];
  caller: Caller;
  /** Where the request came from, past proxies that are trusted. */
  remoteAddress: string;
  /** The project that the path names, already loaded. */
  project: Op['access'] extends { scope: 'project' } ? Project : null;
  /** The caller's roles in another project than the path's: a restore needs them on both sides. */
  rolesInProjectNamed(projectId: string): Promise<ReadonlySet<ProjectRole>>;
  domain: Domain;
  links: LinkBuilder;
  service: ServiceFacts;
  signal: AbortSignal;
}

export interface ListAnswer {
  items: readonly object[];
  totalCount?: number;
}

export type Answer<Op extends Operation> = Op['answers'] extends 'list'
  ? ListAnswer
  : Op['answers'] extends 'nothing'
    ? undefined
    : object | boolean;

export type Handler<Op extends Operation> = (call: Call<Op>) => Promise<Answer<Op>>;

/** Whose call it is, for changes that must not leave the caller outside. */
export function askingOf({ caller, remoteAddress }: Pick<Call, 'caller' | 'remoteAddress'>): Asking {
  const { kind, id, organizationId } = caller;
  return { kind, id, organizationId, address: remoteAddress };
}

/** One handler for each operation of a part of the contract: none missing, none too many. */
export type HandlersOf<Table extends Readonly<Record<string, Operation>>> = {
  readonly [Id in keyof Table]: Handler<Table[Id]>;
};
