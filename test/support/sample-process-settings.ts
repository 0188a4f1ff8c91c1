import type { ProcessSettings } from '../../src/domain/cluster-facts/cluster-probe.ts';

/** Of a server whose user may not read the command line. */
export const sampleProcessSettings: ProcessSettings = {
  defaultReadConcern: 'local',
  defaultWriteConcern: 'majority',
  javascriptEnabled: null,
  noTableScan: false,
  oplogMinRetentionHours: null,
  oplogSizeMB: 990,
  transactionLifetimeLimitSeconds: 60,
};
