import { Command, Option } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { chooseProject } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';

interface ClusterAddOptions {
  uri: string;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function clusterAddCommand(tools: CommandTools): Command {
  return new Command('add')
    .description('register a cluster: connect to it, then keep its connection string')
    .argument('<name>', 'its name from now on: letters, digits and hyphens')
    .addOption(
      new Option('--uri <uri>', 'connection string, with credentials where it needs them')
        .env('TIDEMARK_CLUSTER_URI')
        .makeOptionMandatory(),
    )
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ClusterAddOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const project = await chooseProject(domain, options.project);
          const { signal } = run;
          const cluster = await domain.clusters.register({ projectId: project.id, name, uri: options.uri, signal });
          run.answer({ id: cluster.id, name: cluster.name, projectId: cluster.projectId }, [
            `Registered ${run.terminal.colours.bold(cluster.name)} (${cluster.displayUri}): replica set ${cluster.replicaSetName}, MongoDB ${cluster.mongodVersion}.`,
            `Next: tidemark snapshot take ${cluster.name}`,
          ]);
        }),
      ),
    );
}
