import type { CloudProvider } from '../../catalog/schema.ts';
import type { ExtraRetention } from './compliance-rules.ts';
import type { Frequency } from './due-times.ts';
import type { PolicyItem, PolicyItemRequest, PolicyRetentionUnit } from './schedule-rules.ts';

/** As a cluster's schedule says it, and what follows from it. */
export interface Schedule {
  projectId: string;
  clusterId: string;
  clusterName: string;
  policyId: string;
  /** Empty after the schedule was deleted: then nothing is due. */
  items: PolicyItem[];
  referenceHour: number;
  referenceMinute: number;
  restoreWindowDays: number;
  /** Null where nothing will be due. */
  nextSnapshotMs: number | null;
  autoExportEnabled: boolean;
  export: AutoExport | null;
  namesInExportPrefix: boolean;
  copyPolicyItemsEnabled: boolean;
  autoCopySettingsEnabled: boolean;
  copySettings: CopySetting[];
  extraRetention: ExtraRetention[];
}

export interface AutoExport {
  exportBucketId: string;
  frequencyType: string;
}

export type CopyFrequency = ExtraRetention['frequencyType'];

export interface CopyPolicyItem {
  id: string;
  frequencyType: Frequency | 'ondemand';
  /** Both absent for `ondemand`: those copies are kept as long as their snapshot was to be. */
  retentionUnit?: PolicyRetentionUnit;
  retentionValue?: number;
}

export interface CopySetting {
  id: string;
  cloudProvider: CloudProvider;
  /** The name of a copy store. */
  regionName: string;
  zoneId: string;
  shouldCopyOplogs: boolean;
  frequencies: CopyFrequency[];
  lastNumberOfSnapshots: number | null;
  copyPolicyItems: CopyPolicyItem[];
}

export interface CopySettingRequest {
  cloudProvider?: CloudProvider | undefined;
  regionName?: string | undefined;
  zoneId?: string | undefined;
  shouldCopyOplogs?: boolean | undefined;
  frequencies?: readonly CopyFrequency[] | undefined;
  lastNumberOfSnapshots?: number | undefined;
  copyPolicyItems?: readonly PolicyItemRequest[] | undefined;
}

/** What is left out stays as it is. */
export interface SchedulePatch {
  policies?: readonly { id?: string | undefined; policyItems: readonly PolicyItemRequest[] }[] | undefined;
  referenceHour?: number | undefined;
  referenceMinute?: number | undefined;
  restoreWindowDays?: number | undefined;
  autoExportEnabled?: boolean | undefined;
  export?: Partial<AutoExport> | undefined;
  namesInExportPrefix?: boolean | undefined;
  copyPolicyItemsEnabled?: boolean | undefined;
  autoCopySettingsEnabled?: boolean | undefined;
  copySettings?: readonly CopySettingRequest[] | undefined;
  extraRetention?: readonly ExtraRetention[] | undefined;
  /** Orders, not settings: for this one change. */
  updateSnapshots?: boolean | undefined;
  deleteSnapshots?: boolean | undefined;
  updateCopySnapshots?: boolean | undefined;
  deleteCopySnapshots?: boolean | undefined;
  deleteCopiedBackups?: readonly { regionName?: string | undefined }[] | undefined;
}
