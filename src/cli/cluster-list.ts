import { Command } from 'commander';
import type { Cluster } from '../domain/clusters/clusters.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { everyCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';
import { formatBytes } from './sizes.ts';
import { renderTable } from './table.ts';

interface ClusterListOptions {
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function clusterListCommand(tools: CommandTools): Command {
  return new Command('list')
    .description('list the registered clusters')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: ClusterListOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const clusters = await everyCluster(domain, options.project);
          const rows = clusters.map((cluster) => [
            cluster.id,
            cluster.name,
            cluster.replicaSetName ?? '-',
            cluster.mongodVersion ?? '-',
            cluster.dataBytes === null ? '-' : formatBytes(cluster.dataBytes),
            cluster.displayUri,
          ]);
          const layout = [
            { header: 'ID' },
            { header: 'NAME' },
            { header: 'REPLICA SET', leftOut: 1 },
            { header: 'MONGODB' },
            { header: 'DATA', align: 'right' as const },
            { header: 'URI', elastic: true },
          ];
          run.answer(
            clusters.map(clusterJson),
            rows.length > 0
              ? renderTable(layout, rows, run.terminal)
              : ['No cluster is registered: `tidemark cluster add` does that.'],
          );
        }),
      ),
    );
}

function clusterJson(cluster: Cluster): Record<string, unknown> {
  const { id, name, projectId, displayUri, replicaSetName, mongodVersion, featureCompatibilityVersion, dataBytes } =
    cluster;
  return {
    id,
    name,
    projectId,
    uri: displayUri,
    replicaSetName,
    mongodVersion,
    featureCompatibilityVersion,
    dataBytes,
  };
}
