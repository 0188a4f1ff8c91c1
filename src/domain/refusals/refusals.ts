import { clusterRefusals } from './cluster-refusals.ts';
import { complianceRefusals } from './compliance-refusals.ts';
import { continuousBackupRefusals } from './continuous-backup-refusals.ts';
import { credentialRefusals } from './credential-refusals.ts';
import { documentHistoryRefusals } from './document-history-refusals.ts';
import { downloadRefusals } from './download-refusals.ts';
import { exportRefusals } from './export-refusals.ts';
import { legacyRefusals } from './legacy-refusals.ts';
import { privateEndpointRefusals } from './private-endpoint-refusals.ts';
import { projectRefusals } from './project-refusals.ts';
import type { RefusalRule } from './refusal-rule.ts';
import { requestRefusals } from './request-refusals.ts';
import { restoreRefusals } from './restore-refusals.ts';
import { scheduleRefusals } from './schedule-refusals.ts';
import { snapshotRefusals } from './snapshot-refusals.ts';
import { taskRefusals } from './task-refusals.ts';

/**
 * The caller's fault. A closed list: `code` is Atlas's errorCode where Atlas has one for the case, `detail` our own
 * sentence. `api/problem.ts` turns one into an answer, `cli` into a message; nothing else catches them.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly status: number;
  readonly detail: string;
  readonly parameters: string[];
  /** Which parts of the request, for VALIDATION_ERROR. */
  readonly fields: readonly RefusedField[] | undefined;

  constructor(code: RefusalCode, parameters: string[], fields?: readonly RefusedField[]) {
    const rule: RefusalRule = refusalRules[code];
    const detail = rule.detail.replace(/\{(\d)\}/g, (_, index: string) => parameters[Number(index)] ?? '');
    super(detail);
    this.code = code;
    this.status = rule.status;
    this.detail = detail;
    this.parameters = parameters;
    this.fields = fields;
  }
}

export interface RefusedField {
  field: string;
  description: string;
}

/** For `throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId])`. */
export function refuse(code: RefusalCode, parameters: string[] = [], fields?: readonly RefusedField[]): Refusal {
  return new Refusal(code, parameters, fields);
}

export type RefusalCode = keyof typeof refusalRules;

export const refusalRules = {
  ...clusterRefusals,
  ...complianceRefusals,
  ...continuousBackupRefusals,
  ...credentialRefusals,
  ...documentHistoryRefusals,
  ...downloadRefusals,
  ...exportRefusals,
  ...legacyRefusals,
  ...privateEndpointRefusals,
  ...projectRefusals,
  ...requestRefusals,
  ...restoreRefusals,
  ...scheduleRefusals,
  ...snapshotRefusals,
  ...taskRefusals,
} as const satisfies Record<string, RefusalRule>;
