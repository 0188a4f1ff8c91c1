import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { sampleCheckpoints } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const checkpointsSamples: ResourceSamples = {
  operations: {
    listGroupClusterBackupCheckpoints: { who: readers },
    getGroupClusterBackupCheckpoint: { who: readers },
  },
  verdicts: {},
};

export function checkpointsNoun({ clusterNamed, ofCluster }: SampleParts): Domain['checkpoints'] {
  return {
    list: async (query) => ofCluster(sampleCheckpoints, query),
    async get({ checkpointId, clusterName, projectId }) {
      clusterNamed({ projectId, clusterName });
      const found = sampleCheckpoints.find(({ id }) => id === checkpointId);
      if (found === undefined) throw refuse('CHECKPOINT_NOT_FOUND', [checkpointId, clusterName, projectId]);
      return found;
    },
  };
}
