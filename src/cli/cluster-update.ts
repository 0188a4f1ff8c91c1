import { Command } from 'commander';
import { describeDeployment } from '../domain/clusters/describe-deployment.ts';
import { addUriOptions, type ClusterUriOptions, missingLines, overriddenLines, readClusterUri } from './cluster-uri.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';

interface ClusterUpdateOptions extends ClusterUriOptions {
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function clusterUpdateCommand(tools: CommandTools): Command {
  const command = new Command('update')
    .description('give a cluster a new connection string: it is tried first, and has to lead to the same cluster')
    .argument('<name>', 'name of the cluster');
  return addUriOptions(command, 'cluster')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ClusterUpdateOptions) =>
      runCommand(tools, options, async (run) => {
        const uri = await readClusterUri(run, options);
        await withService(run, options, async ({ domain }) => {
          const { projectId } = await findCluster(domain, name, options.project);
          const { signal } = run;
          const given = { uri, giver: 'operator' } as const;
          const cluster = await domain.clusters.reconnect({ projectId, clusterName: name, ...given, signal });
          const { id, displayUri, overriddenOptions, missingPrivileges } = cluster;
          run.answer({ id, name, projectId, uri: displayUri, overriddenOptions, missingPrivileges }, [
            `${run.terminal.colors.bold(name)} is reached by ${displayUri} now: ${describeDeployment(cluster)}.`,
            ...overriddenLines(cluster),
            ...missingLines(cluster),
            'Its schedule, snapshots and policies are as before; what a service captures of it goes on by the new connection string.',
          ]);
        });
      }),
    );
}
