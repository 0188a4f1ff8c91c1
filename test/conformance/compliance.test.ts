import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { operations } from '../../contract/operations.ts';
import { createProgram } from '../../src/cli/program.ts';
import { RecordingTerminal } from '../../src/cli/recording-terminal.ts';
import type { Domain } from '../../src/domain/domain.ts';
import { Refusal } from '../../src/domain/refusals/refusals.ts';
import { expiryDuty } from '../../src/domain/snapshots/expiry.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { samplesOf, verdicts } from '../samples/all-samples.ts';
import { below, inBoundProject, never } from '../samples/bound-project.ts';
import { inWorld } from '../support/domain-world.ts';

/**
 * A backup compliance policy binds everybody, by every way. Callers and roles end at the door of the domain; so it is
 * the domain that is gone through here, function by function: whoever adds one says here what the policy does to it,
 * and the tests fail until that was said. Operations and commands are then held to the functions that they come down
 * to.
 */

/**
 * Whole nouns that hold no backup: who may call, from where, and under which identity. However much a caller may, a
 * policy binds him.
 */
const CALLERS = /^(apiKeys|serviceAccounts|accessLists|cloudProviderAccess)\./;

/** Known by their names; everything else has to be judged above. */
const READS = /\.(list\w*|get|getByName|require\w+|ofSubject|status|settings|schedule|processSettings|version)$/;

function functionsOf(domain: Domain): string[] {
  return Object.entries(domain).flatMap(([noun, functions]) =>
    Object.keys(functions as object).map((name) => `${noun}.${name}`),
  );
}

test('everything that the domain can change has a verdict', async () => {
  await inWorld({}, async ({ domain }) => {
    const found = functionsOf(domain).filter((name) => !READS.test(name) && !CALLERS.test(name));
    assert.deepEqual(
      found.filter((name) => verdicts[name] === undefined),
      [],
      'say in `verdicts` of its file in test/samples/ what a compliance policy does to it',
    );
    assert.deepEqual(Object.keys(verdicts).toSorted(), found.toSorted(), 'a verdict about something that is not there');
  });
});

for (const [name, verdict] of Object.entries(verdicts)) {
  if (verdict === 'reads' || 'harmless' in verdict) continue;
  verdict.bound.forEach(([code, attempt], index) => {
    test(`${name} cannot go round a compliance policy (${index + 1}: ${code})`, async () => {
      await inBoundProject(async (bound) => {
        const protectedState = async () => {
          const { domain } = bound;
          const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
          const snapshots = (await domain.snapshots.list({ ...bound.name, page })).items;
          const kept = snapshots.filter((each) => [bound.scheduledId, bound.onDemandId].includes(each.id));
          return {
            expiries: kept.map((each) => each.expiresAtMs),
            policy: await domain.compliancePolicies.get(bound.name.projectId),
            backupEnabled: (await domain.clusters.get(bound.name)).backupEnabled,
          };
        };
        const before = await protectedState();
        await assert.rejects(attempt(bound), (error) => {
          assert.ok(error instanceof Refusal, String(error));
          assert.equal(error.code, code);
          return true;
        });
        const after = await protectedState();
        assert.equal(after.expiries.length, 2);
        after.expiries.forEach((expiresAtMs, at) => {
          assert.ok(expiresAtMs >= (before.expiries[at] ?? 0));
        });
        assert.deepEqual([after.policy, after.backupEnabled], [before.policy, true]);
      });
    });
  });
}

test('nothing expires early, and what is over still goes', async () => {
  await inBoundProject(async ({ world, domain, name, scheduledId }) => {
    const { expiresAtMs } = await domain.snapshots.get({ ...name, snapshotId: scheduledId });
    await world.clock.leap(expiresAtMs - world.clock.nowMs() - 1);
    const duty = expiryDuty(world.context);
    await duty.run(never);
    await domain.snapshots.get({ ...name, snapshotId: scheduledId });
    await world.clock.leap(1);
    await duty.run(never);
    await assert.rejects(domain.snapshots.get({ ...name, snapshotId: scheduledId }), /SNAPSHOT|No snapshot/);
  });
});

/** Which functions of the domain an operation that is not a GET comes down to. */
const operationVerdicts = samplesOf('comesDownTo');

test('every operation that is not a GET comes down to functions with a verdict', () => {
  const aboutCallers = /ApiKey|ServiceAccount|AccessList|CloudProviderAccess/;
  const changing = Object.entries(operations).flatMap(([id, { method }]) =>
    method === 'GET' || aboutCallers.test(id) ? [] : [id],
  );
  assert.deepEqual(Object.keys(operationVerdicts).toSorted(), changing.toSorted());
  for (const [id, functions] of Object.entries(operationVerdicts)) {
    if (Array.isArray(functions))
      for (const name of functions) assert.ok(verdicts[name] !== undefined, `${id}: ${name}`);
  }
});

/** The command line is on the same data directory, without a server and without roles. */
const commandVerdicts: Record<string, 'reads' | { harmless: string } | readonly string[]> = {
  'tidemark init': { harmless: 'makes what is not there' },
  'tidemark demo': { harmless: 'backs up and restores servers of its own, and removes them' },
  'tidemark serve': { harmless: 'serves the above' },
  'tidemark cluster add': ['clusters.register'],
  'tidemark key create': { harmless: 'about callers, not backups' },
  'tidemark access show': 'reads',
  'tidemark access reset': { harmless: 'about callers, not backups' },
  'tidemark key list': 'reads',
  'tidemark key delete': { harmless: 'about callers, not backups' },
  'tidemark cluster update': ['clusters.reconnect', 'clusters.update'],
  'tidemark cluster remove': ['clusters.remove'],
  'tidemark cluster show': 'reads',
  'tidemark capture on': ['clusters.update'],
  'tidemark capture off': ['clusters.update'],
  'tidemark cluster list': 'reads',
  'tidemark snapshot take': ['snapshots.take'],
  'tidemark snapshot browse': 'reads',
  'tidemark snapshot list': 'reads',
  'tidemark download': 'reads',
  'tidemark snapshot show': 'reads',
  'tidemark snapshot protect': ['snapshots.updateRetention', 'snapshots.updateExpiry'],
  'tidemark snapshot delete': ['snapshots.delete'],
  'tidemark schedule show': 'reads',
  'tidemark schedule set': ['schedules.update', 'schedules.delete'],
  'tidemark checkpoint list': 'reads',
  'tidemark restore': ['restoreJobs.create'],
  'tidemark collection restore': ['collectionRestoreJobs.create'],
  'tidemark export': ['exportJobs.create'],
  'tidemark bucket add': ['exportBuckets.create'],
  'tidemark bucket list': 'reads',
  'tidemark bucket remove': ['exportBuckets.delete'],
  'tidemark document history': 'reads',
  'tidemark document restore': ['documentHistory.restore'],
  'tidemark repository check': 'reads',
  'tidemark repository prune': { harmless: 'deletes what no manifest names; manifests go with their snapshots only' },
  'tidemark repository rebuild': { harmless: 'adds what is missing and changes nothing that is there' },
  'tidemark repository stats': 'reads',
  'tidemark repository move': { harmless: 'copies all there is, and leaves it where it was' },
  'tidemark completion': 'reads',
  'tidemark task list': 'reads',
  'tidemark task cancel': ['tasks.cancel'],
};

test('every command has a verdict', () => {
  const program = createProgram({ terminal: new RecordingTerminal(), clock: systemClock, env: {} });
  const pathOf = (command: Command): string =>
    command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  assert.deepEqual(leaves(program).map(pathOf).toSorted(), Object.keys(commandVerdicts).toSorted());
  for (const [path, functions] of Object.entries(commandVerdicts)) {
    if (Array.isArray(functions))
      for (const name of functions) assert.ok(verdicts[name] !== undefined, `${path}: ${name}`);
  }
});

test('a cluster that comes into the project is under the policy from its first moment', async () => {
  await inBoundProject(async ({ world, domain, name }) => {
    const { projectId } = name;
    await world.register(projectId, 'second');
    const second = { projectId, clusterName: 'second' };
    assert.equal((await domain.clusters.get(second)).pitEnabled, true);
    await assert.rejects(domain.schedules.delete(second), (error) => error instanceof Refusal && error.code === below);
  });
});
