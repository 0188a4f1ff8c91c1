import type { Domain } from '../../src/domain/domain.ts';
import type { ResourceSamples } from './resource-samples.ts';
import { sampleIds, sampleNowMs } from './rows.ts';

export const systemStatusSamples: ResourceSamples = {
  operations: {
    getSystemStatus: { who: 'every role' },
  },
  verdicts: {},
};

export function systemNoun(): Domain['system'] {
  return {
    status: async () => ({
      repository: { id: sampleIds.unknown, encrypted: false, description: 'memory' },
      catalogSchemaVersion: 1,
      tasksQueued: 0,
      tasksRunning: 1,
      startedAtMs: sampleNowMs,
    }),
  };
}
