import { Command } from 'commander';
import type { Workspace } from '../compose/service.ts';
import type { Cluster } from '../domain/clusters/clusters.ts';
import { clusterFacts, clusterJson, clusterPage } from './cluster-view.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { exitCodes } from './exit-codes.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';

interface ClusterShowOptions {
  check?: boolean;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function clusterShowCommand(tools: CommandTools): Command {
  return new Command('show')
    .description('show a cluster: members, what is captured, what can be restored, snapshots, and what is wrong')
    .argument('<cluster>', 'name of the cluster')
    .option('--check', 'end with exit code 1 where something is wrong: for whatever watches it')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ClusterShowOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }: Workspace) => {
          const cluster: Cluster = await findCluster(domain, name, options.project);
          const facts = await clusterFacts(domain, cluster, run.clock.nowMs());
          if (options.check === true && facts.problems.length > 0) process.exitCode = exitCodes.failed;
          run.answer(clusterJson(facts), clusterPage(facts, run.terminal));
        }),
      ),
    );
}
