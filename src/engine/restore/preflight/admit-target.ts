import { assert } from '../../../lib/assert.ts';
import { Fault } from '../../../lib/errors.ts';
import { asFault, isMajorityLate } from '../../../mongo/errors.ts';
import { electionIdOf, RestoreTarget, type TargetForm } from '../../../mongo/target.ts';
import { type ClusterFacts, type ClusterMember, readClusterFacts } from '../../../mongo/topology.ts';
import { takesDiffs } from '../../restore-plan.ts';

export interface AdmitTargetOptions {
  facts: ClusterFacts;
  /** The target in messages. */
  name: string;
  /** What is being done, for messages. */
  op: string;
  majorityMsMax: number;
}

/**
 * Proves that a majority of the target's members follows its primary, by a note in the oplog that changes no data, and
 * finds how many members can be waited for when indexes are built. Gives the target to work with.
 */
export async function admitTarget(target: RestoreTarget, options: AdmitTargetOptions): Promise<RestoreTarget> {
  const { facts } = options;
  await requireMajority(target, options);
  const electionId = electionIdOf(await target.command('admin', { hello: 1 }));
  if (electionId === null) throw stoodDown(options);
  const form = {
    ...quorumOf(facts.members),
    diffs: takesDiffs(facts.featureCompatibilityVersion),
    electionId,
  };
  return new RestoreTarget(target.client, target.signal, form);
}

async function requireMajority(target: RestoreTarget, { name, op, majorityMsMax }: AdmitTargetOptions): Promise<void> {
  const note = { appendOplogNote: 1, data: { msg: 'tidemark: does a majority follow?' } };
  try {
    await target.command('admin', { ...note, writeConcern: { w: 'majority', wtimeout: majorityMsMax } });
  } catch (error) {
    if (!isMajorityLate(error)) throw asFault(error, 'append an oplog note', name);
    // Who is missing is known better now than before the wait.
    const facts = await readClusterFacts(target.client, name);
    throw new Fault({
      op,
      subject: name,
      message: `no majority of the members of ${facts.replicaSetName} had a write within ${Math.round(majorityMsMax / 1000)} s (${stateOf(facts.members)}), so a restore would wait for ever; no data of the target was touched`,
      retryable: true,
      hint: 'Start the members that are down, let those that are behind catch up, or take them out of the configuration, and restore again',
    });
  }
}

/** It had just taken a note. */
function stoodDown({ op, name }: AdmitTargetOptions): Fault {
  const message = `the primary of ${name} stood down while the target was checked; no data of it was touched`;
  return new Fault({ op, subject: name, message, retryable: true });
}

/** `host is DOWN, host is PRIMARY`: those that hold a majority up first. */
function stateOf(members: readonly ClusterMember[]): string {
  const isFine = ({ state }: ClusterMember) => state === 'PRIMARY' || state === 'ARBITER';
  const ordered = members.toSorted((a, b) => Number(isFine(a)) - Number(isFine(b)));
  return ordered.map(({ host, state }) => `${host} is ${state}`).join(', ');
}

/**
 * A majority of the voting members, as far as so many are up and build indexes at all; else those that do. An arbiter
 * holds no data, and a voter of `buildIndexes: false` never commits a build. Who is not waited for follows by the
 * oplog.
 */
export function quorumOf(members: readonly ClusterMember[]): Pick<TargetForm, 'commitQuorum' | 'builders'> {
  const voters = members.filter(({ votes }) => votes > 0);
  const holding = voters.filter(({ arbiter }) => !arbiter);
  const building = holding.filter(
    ({ buildsIndexes, state }) => buildsIndexes && (state === 'PRIMARY' || state === 'SECONDARY'),
  );
  const majority = Math.min(Math.floor(voters.length / 2) + 1, holding.length);
  const needed = Math.max(1, Math.min(majority, building.length));
  assert(majority <= holding.length && building.length <= holding.length, 'only who has data is waited for');
  return {
    commitQuorum: building.length >= majority ? 'majority' : needed,
    builders: { hosts: building.map(({ host }) => host), needed },
  };
}
