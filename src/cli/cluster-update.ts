import { Command } from 'commander';
import type { Cluster, ClusterChange, ConnectedNow } from '../domain/clusters/clusters.ts';
import { describeDeployment } from '../domain/clusters/describe-deployment.ts';
import type { Domain } from '../domain/domain.ts';
import { addUriOptions, type ClusterUriOptions, missingLines, overriddenLines, readUri } from './cluster-uri.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { findCluster } from './lookup.ts';
import { type OnOff, onOffOption, switched } from './on-off.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, yesOption } from './options.ts';
import { UsageError } from './usage-error.ts';

interface ClusterUpdateOptions extends ClusterUriOptions {
  backup?: OnOff;
  paused?: OnOff;
  retainBackups?: OnOff;
  protection?: OnOff;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  yes?: boolean;
  json?: boolean;
}

export function clusterUpdateCommand(tools: CommandTools): Command {
  const command = new Command('update')
    .description(
      'change a cluster: what is backed up of it, or its connection string, which is tried first and has to lead to the same cluster',
    )
    .argument('<name>', 'name of the cluster');
  return addUriOptions(command, 'cluster')
    .addOption(onOffOption('--backup', 'off deletes its snapshots, unless --retain-backups is on'))
    .addOption(onOffOption('--paused', 'while it is on, nothing is read from the cluster and nothing restored into it'))
    .addOption(onOffOption('--retain-backups', 'whether snapshots outlive the cluster where its removal does not say'))
    .addOption(onOffOption('--protection', 'while it is on, the cluster cannot be removed'))
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((name: string, options: ClusterUpdateOptions) =>
      runCommand(tools, options, (run) => updateCluster(run, name, options)),
    );
}

async function updateCluster(run: CommandRun, name: string, options: ClusterUpdateOptions): Promise<void> {
  const change: ClusterChange = {
    ...switched('backupEnabled', options.backup),
    ...switched('paused', options.paused),
    ...switched('retainBackups', options.retainBackups),
    ...switched('terminationProtectionEnabled', options.protection),
  };
  const asked = Object.keys(change).length > 0;
  const given = options.uriFile !== undefined || options.uri !== undefined;
  // A variable that stands around in the environment is no wish, where something else is asked for.
  const uri = asked && !given ? undefined : await readUri(run, options, 'cluster');
  if (!asked && uri === undefined)
    throw new UsageError(
      'Say what to change: --uri-file <file> (or TIDEMARK_CLUSTER_URI) for its connection string, or --backup, --paused, --retain-backups, --protection.',
    );
  await withService(run, options, async ({ domain }) => {
    const cluster = await findCluster(domain, name, options.project);
    await confirmLoss(run, cluster, change, options);
    const reached = uri === undefined ? null : await reconnect(run, domain, cluster, uri);
    const { projectId } = cluster;
    const now = asked ? await domain.clusters.update({ projectId, clusterName: name, change }) : (reached ?? cluster);
    const { overriddenOptions = [], missingPrivileges = [] } = reached ?? {};
    const settings = settingsOf(now);
    const { bold } = run.terminal.colors;
    run.answer(
      { id: now.id, name, projectId, uri: now.displayUri, overriddenOptions, missingPrivileges, ...settings },
      [
        ...(reached === null ? [] : reachedLines(reached, bold(name))),
        ...(asked
          ? [
              `${bold(name)}: ${Object.entries(settings)
                .map(([what, value]) => `${WORDS[what]} ${value ? 'on' : 'off'}`)
                .join(', ')}.`,
            ]
          : []),
      ],
    );
  });
}

const WORDS: Record<string, string> = {
  backupEnabled: 'backup',
  paused: 'paused',
  retainBackups: 'retain backups',
  terminationProtectionEnabled: 'protection',
};

function settingsOf({ backupEnabled, paused, retainBackups, terminationProtectionEnabled }: Cluster) {
  return { backupEnabled, paused, retainBackups, terminationProtectionEnabled };
}

/** Snapshots that go are asked for, as a restore asks. */
async function confirmLoss(
  run: CommandRun,
  cluster: Cluster,
  change: ClusterChange,
  { yes }: ClusterUpdateOptions,
): Promise<void> {
  const kept = change.retainBackups ?? cluster.retainBackups;
  if (change.backupEnabled !== false || !cluster.backupEnabled || kept) return;
  const warning = `All snapshots of ${cluster.name} are deleted with its backup (--retain-backups on keeps them).`;
  await confirm(run, { yes, warning, expected: cluster.name });
}

async function reconnect(
  { signal }: CommandRun,
  domain: Domain,
  { projectId, name }: Cluster,
  uri: string,
): Promise<ConnectedNow> {
  return await domain.clusters.reconnect({ projectId, clusterName: name, uri, giver: 'operator', signal });
}

function reachedLines(cluster: ConnectedNow, name: string): string[] {
  return [
    `${name} is reached by ${cluster.displayUri} now: ${describeDeployment(cluster)}.`,
    ...overriddenLines(cluster),
    ...missingLines(cluster),
    'Its schedule, snapshots and policies are as before; what a service captures of it goes on by the new connection string.',
  ];
}
