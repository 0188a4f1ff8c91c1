import type { DomainPorts } from '../domain/create-domain.ts';
import { findTokens } from '../engine/checkpoint/find-tokens.ts';
import { takeCheckpoint } from '../engine/checkpoint/take-checkpoint.ts';
import { Fault } from '../lib/errors.ts';
import { findReplicaSets } from '../mongo/cluster-replica-sets.ts';
import { redactUri } from '../mongo/connection/connect.ts';
import type { Repository } from '../repository/repository.ts';
import type { Tools } from './tools.ts';

export function createCheckpointEngine(
  repository: Repository,
  { clock, log }: Pick<Tools, 'clock' | 'log'>,
): DomainPorts['checkpointEngine'] {
  return {
    take: async ({ uri, balancerRecord, onReplicaSets, ...request }) => {
      const replicaSets = await findReplicaSets(uri, { signal: request.signal });
      if (replicaSets === null) throw notSharded(redactUri(uri));
      await onReplicaSets(replicaSets);
      await takeCheckpoint({ ...request, replicaSets, holdRecord: balancerRecord, clock, log });
    },
    find: async (request) => await findTokens({ ...request, repository, clock }),
  };
}

function notSharded(subject: string): Fault {
  const message = `${subject} leads to a replica set now, of which no checkpoints are made`;
  return new Fault({ op: 'take checkpoint', subject, message, hint: 'Register the sharded cluster again' });
}
