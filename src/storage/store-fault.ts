import { Fault } from '../lib/errors.ts';

/** What can be wrong with an object store that is reached over a network, and what its owner does about it. */
export const storeProblems = {
  noBucket: { retryable: false, hint: 'Make the bucket (or container), or name the right one' },
  denied: {
    retryable: false,
    hint: 'Give the credentials that Tidemark uses the permission to read, write, list and delete objects there',
  },
  credentials: {
    retryable: false,
    hint: 'The credentials are missing, wrong or expired: renew them where Tidemark gets them from, and start it again (docs/operations.md, Object stores)',
  },
  role: {
    retryable: false,
    hint: 'Let the role trust the identity that Tidemark signs in as, with the external ID of the cloud provider access role',
  },
  clock: { retryable: false, hint: 'Set the clock of this machine: requests are signed with the time' },
  region: { retryable: false, hint: 'Give the region that the bucket is in, and the endpoint that serves it' },
  full: {
    retryable: false,
    hint: 'The object store is full or its quota used up: make room, for example by deleting snapshots and pruning',
  },
  busy: { retryable: true, hint: 'The object store is overloaded or out of order: it was tried again in vain' },
  unreachable: {
    retryable: true,
    hint: 'Look whether this machine reaches the endpoint: its address, the network, DNS, a firewall, its certificate',
  },
  refused: { retryable: false, hint: 'The object store refused the request for the reason that it gives' },
} as const;

export type StoreProblem = keyof typeof storeProblems;

/** An object store did not do what it was asked for. */
export class StoreFault extends Fault {
  override readonly name = 'StoreFault';
  readonly problem: StoreProblem;

  constructor(options: { op: string; subject: string; message: string; problem: StoreProblem; cause?: unknown }) {
    super({ ...options, ...storeProblems[options.problem] });
    this.problem = options.problem;
  }
}
