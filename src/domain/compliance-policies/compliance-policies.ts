import type { Requirements } from '../policies/compliance-rules.ts';
import type { PolicyItemRequest, PolicyRetentionUnit } from '../policies/schedule-rules.ts';

/** What a project's owners bound themselves and everybody else to. */
export interface CompliancePolicy extends Requirements {
  projectId: string;
  authorizedEmail: string;
  authorizedUserFirstName: string;
  authorizedUserLastName: string;
  /** `ENABLING` and `UPDATING` are answered to the change that does it; whoever asks later finds it done. */
  state: 'ACTIVE' | 'ENABLING' | 'UPDATING';
  /** The project has nothing left that the policy protects. */
  deletable: boolean;
  updatedAtMs: number;
  updatedUser: string;
}

/** The whole policy: what is left out is not required. */
export interface CompliancePolicyRequest {
  authorizedEmail: string;
  authorizedUserFirstName?: string | undefined;
  authorizedUserLastName?: string | undefined;
  scheduledPolicyItems?: readonly PolicyItemRequest[] | undefined;
  onDemandPolicyItem?:
    | {
        id?: string | undefined;
        frequencyInterval?: number | undefined;
        retentionUnit: PolicyRetentionUnit;
        retentionValue: number;
      }
    | undefined;
  pitEnabled?: boolean | undefined;
  restoreWindowDays?: number | undefined;
  encryptionAtRestEnabled?: boolean | undefined;
  copyProtectionEnabled?: boolean | undefined;
}

export interface CompliancePolicies {
  get(projectId: string): Promise<CompliancePolicy>;
  /**
   * With `overwrite` schedules that fall below are raised, without they are a reason to refuse. `user` is who changes
   * it: a public key or a client id.
   */
  put(request: {
    projectId: string;
    policy: CompliancePolicyRequest;
    overwrite: boolean;
    user: string;
  }): Promise<CompliancePolicy>;
  /** Only while it is deletable. */
  disable(projectId: string): Promise<void>;
}
