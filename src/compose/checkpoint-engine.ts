import type { DomainPorts } from '../domain/create-domain.ts';
import { findTokens } from '../engine/checkpoint/find-tokens.ts';
import { takeCheckpoint } from '../engine/checkpoint/take-checkpoint.ts';
import type { Repository } from '../repository/repository.ts';
import type { Tools } from './tools.ts';

export function createCheckpointEngine(
  repository: Repository,
  { clock, log }: Pick<Tools, 'clock' | 'log'>,
): DomainPorts['checkpointEngine'] {
  return {
    take: async ({ balancerRecord: holdRecord, ...request }) => {
      await takeCheckpoint({ ...request, holdRecord, clock, log });
    },
    find: async (request) => await findTokens({ ...request, repository, clock }),
  };
}
