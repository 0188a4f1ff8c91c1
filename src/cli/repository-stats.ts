import { Command } from 'commander';
import { readManifestHeader } from '../repository/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { everyManifestName } from './manifest-lookup.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import { dataDirOption, jsonOption, passphraseFileOption, repositoryOption } from './options.ts';
import { formatBytes, formatCount, formatTime } from './sizes.ts';
import { renderFields, renderTable } from './table.ts';

export function repositoryStatsCommand(tools: CommandTools): Command {
  return new Command('stats')
    .description('what the repository holds and what it costs')
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: RepositoryOptions & { json?: boolean }) =>
      runCommand(tools, options, async (run) => {
        const repository = await openRepositoryOf(run, options);
        const clusters = await clusterFigures(repository, run.signal);
        const objects = await objectFigures(repository, run.signal);
        const snapshotBytes = clusters.reduce((sum, cluster) => sum + cluster.snapshotBytes, 0);
        const snapshots = clusters.reduce((sum, cluster) => sum + cluster.snapshots, 0);
        const { colors } = run.terminal;
        const totals = renderFields(
          [
            ['repository', `${repository.store.description} (${repository.repositoryId})`],
            ['encrypted', repository.encrypted ? 'yes' : 'no'],
            ['snapshots', `${formatCount(snapshots)}, ${formatBytes(snapshotBytes)} if each were kept whole`],
            ['stored', `${formatBytes(objects.bytes)} in ${formatCount(objects.objects)} objects`],
            [
              'saved',
              objects.bytes > 0 ? `${(snapshotBytes / objects.bytes).toFixed(1)} times as much data as disk` : null,
            ],
          ],
          colors,
        );
        const layout = [
          { header: 'CLUSTER', elastic: true },
          { header: 'SNAPSHOTS', align: 'right' as const },
          { header: 'NEWEST' },
          { header: 'DATA NOW', align: 'right' as const },
          { header: 'ALL SNAPSHOTS', align: 'right' as const },
          { header: 'WRITTEN', align: 'right' as const },
        ];
        const rows = clusters.map((cluster) => [
          cluster.clusterName,
          formatCount(cluster.snapshots),
          formatTime(cluster.newestAtMs),
          formatBytes(cluster.dataBytes),
          formatBytes(cluster.snapshotBytes),
          formatBytes(cluster.writtenStoredBytes),
        ]);
        run.answer(
          {
            repositoryId: repository.repositoryId,
            encrypted: repository.encrypted,
            ...objects,
            snapshots,
            snapshotBytes,
            clusters,
          },
          [...totals, ...(rows.length === 0 ? [] : ['', ...renderTable(layout, rows, run.terminal)])],
        );
      }),
    );
}

interface ClusterFigures {
  clusterId: string;
  clusterName: string;
  snapshots: number;
  newestAtMs: number;
  /** Of the newest snapshot. */
  dataBytes: number;
  /** Of all snapshots, as if each were kept whole and plain. */
  snapshotBytes: number;
  /** What taking them wrote; blobs swept since are still counted. */
  writtenStoredBytes: number;
}

async function clusterFigures(repository: Repository, signal: AbortSignal): Promise<ClusterFigures[]> {
  const clusters = new Map<string, ClusterFigures>();
  for (const name of await everyManifestName(repository)) {
    const header = await readManifestHeader(repository, name, { signal });
    const figures = clusters.get(header.clusterId);
    clusters.set(header.clusterId, {
      clusterId: header.clusterId,
      clusterName: header.clusterName,
      snapshots: (figures?.snapshots ?? 0) + 1,
      newestAtMs: header.clusterTime.t * 1000,
      dataBytes: header.bytes,
      snapshotBytes: (figures?.snapshotBytes ?? 0) + header.bytes,
      writtenStoredBytes: (figures?.writtenStoredBytes ?? 0) + header.writtenStoredBytes,
    });
  }
  return [...clusters.values()];
}

async function objectFigures(repository: Repository, signal: AbortSignal): Promise<{ objects: number; bytes: number }> {
  const total = { objects: 0, bytes: 0 };
  for await (const { sizeBytes } of repository.store.list('', { signal })) {
    total.objects++;
    total.bytes += sizeBytes;
  }
  return total;
}
