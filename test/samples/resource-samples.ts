import type { OperationId } from '../../contract/operations.ts';
import type { Verdict } from './bound-project.ts';

/** What the tests that go through every operation have to know of one. */
export interface OperationSample {
  /**
   * Who is let through, as it was last reviewed: a contract that lets somebody else in shows in `guards.test.ts`,
   * whatever it says of itself. `every role` of a project and of its organization; else the roles by name.
   */
  who: string;
  /** A body that is accepted in the newest version, where it takes one. */
  body?: object;
  /** What it ends in when everything about the request is right: status and code. */
  refuses?: string;
  /** Of one that is not a GET: the functions of the domain whose verdicts are its own. */
  comesDownTo?: readonly string[] | { harmless: string };
}

/** The rows of one resource's file in `contract/`. What of the domain it needs answers beside them, with samples. */
export interface ResourceSamples {
  operations: Partial<Record<OperationId, OperationSample>>;
  /** What a backup compliance policy does to what the domain can change: `noun.function`. */
  verdicts: Record<string, Verdict>;
}

/** Every role of a project that reads what is in it. */
export const readers =
  'GROUP_OWNER GROUP_READ_ONLY GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER GROUP_BACKUP_MANAGER GROUP_BACKUP_CREATOR GROUP_BACKUP_EXPORT_OPERATOR GROUP_BACKUP_RECOVERY_OPERATOR GROUP_DATA_ACCESS_ADMIN GROUP_DATA_ACCESS_READ_WRITE GROUP_DATA_ACCESS_READ_ONLY GROUP_DATABASE_ACCESS_ADMIN GROUP_SEARCH_INDEX_EDITOR GROUP_STREAM_PROCESSING_OWNER GROUP_OBSERVABILITY_VIEWER GROUP_CHARTS_ADMIN ORG_OWNER ORG_READ_ONLY';
