import { Command } from 'commander';
import { describeDeployment } from '../domain/clusters/describe-deployment.ts';
import { addUriOptions, type ClusterUriOptions, missingLines, overriddenLines, readClusterUri } from './cluster-uri.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { chooseProject } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';
import { ProgressBar } from './progress-bar.ts';

interface ClusterAddOptions extends ClusterUriOptions {
  project?: string;
  schedule?: boolean;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function clusterAddCommand(tools: CommandTools): Command {
  const command = new Command('add')
    .description('register a cluster: connect to it, then keep its connection string')
    .argument('<name>', 'its name from now on: letters, digits and hyphens');
  return addUriOptions(command, 'cluster')
    .option('--no-schedule', 'take no snapshots by itself: for a cluster that is only restored into')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ClusterAddOptions) =>
      runCommand(tools, options, async (run) => {
        const uri = await readClusterUri(run, options);
        await withService(run, options, async ({ domain }) => {
          const project = await chooseProject(domain, options.project);
          const { signal } = run;
          const { redactUri } = await import('../mongo/connection/connect.ts');
          const bar = new ProgressBar(run.terminal, run.clock);
          bar.report({ phase: `connecting to ${redactUri(uri)}`, documentsDone: 0, bytesDone: 0 });
          const given = { uri, giver: 'operator' } as const;
          const wanted = { projectId: project.id, name, ...given, scheduled: options.schedule !== false, signal };
          const cluster = await domain.clusters.register(wanted).finally(() => bar.clear());
          const { id, projectId, overriddenOptions, missingPrivileges } = cluster;
          run.answer({ id, name: cluster.name, projectId, overriddenOptions, missingPrivileges }, [
            `Registered ${run.terminal.colors.bold(cluster.name)} (${cluster.displayUri}): ${describeDeployment(cluster)}.`,
            ...overriddenLines(cluster),
            ...missingLines(cluster),
            options.schedule === false
              ? 'It has no schedule: snapshots of it are taken only when somebody asks.'
              : 'Snapshots are taken by the default schedule from now on (`tidemark schedule show` shows it); --no-schedule registers a mere target.',
            options.schedule === false
              ? `Next: tidemark restore --snapshot latest --to ${cluster.name}`
              : `Next: tidemark snapshot take ${cluster.name}`,
          ]);
        });
      }),
    );
}
