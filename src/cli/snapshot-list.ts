import { Argument, Command } from 'commander';
import { readManifestHeader } from '../repository/manifests.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { everyItem } from './every-item.ts';
import { everyClusterName } from './lookup.ts';
import { everyManifestName } from './manifest-lookup.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, repositoryOption } from './options.ts';
import { formatBytes, formatCount, formatTime } from './sizes.ts';
import { snapshotColumns, snapshotJson, snapshotRow } from './snapshot-view.ts';
import { renderTable } from './table.ts';
import { NothingFound } from './usage-error.ts';

interface SnapshotListOptions extends RepositoryOptions {
  project?: string;
  json?: boolean;
}

export function snapshotListCommand(tools: CommandTools): Command {
  return new Command('list')
    .description('list snapshots, of one cluster or of all')
    .addArgument(new Argument('[cluster]', 'name of the cluster'))
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((cluster: string | undefined, options: SnapshotListOptions) =>
      runCommand(tools, options, (run) =>
        options.repository === undefined
          ? listFromCatalog(run, cluster, options)
          : listFromRepository(run, cluster, options),
      ),
    );
}

async function listFromCatalog(run: CommandRun, name: string | undefined, options: SnapshotListOptions): Promise<void> {
  await withService(run, options, async (workspace) => {
    const known = await everyClusterName(workspace, options.project);
    const names = known.filter(({ clusterName }) => name === undefined || clusterName === name);
    if (name !== undefined && names.length === 0)
      throw new NothingFound(`Nothing was ever backed up under the name ${name}.`);
    const lists = await Promise.all(
      names.map((clusterName) => everyItem((page) => workspace.domain.snapshots.list({ ...clusterName, page }))),
    );
    const snapshots = lists.flat();
    const rows = snapshots.map((snapshot) => snapshotRow(snapshot, run.terminal.colors));
    run.answer(
      snapshots.map(snapshotJson),
      rows.length > 0
        ? renderTable(snapshotColumns, rows, run.terminal)
        : ['No snapshots yet: `tidemark snapshot take` takes one.'],
    );
  });
}

/** From the manifests: what can be restored when the catalog is lost. */
async function listFromRepository(
  run: CommandRun,
  name: string | undefined,
  options: SnapshotListOptions,
): Promise<void> {
  const repository = await openRepositoryOf(run, options);
  const headers = [];
  for (const manifestName of await everyManifestName(repository)) {
    const header = await readManifestHeader(repository, manifestName, { signal: run.signal });
    if (name === undefined || header.clusterName === name) headers.unshift(header);
  }
  const rows = headers.map((header) => [
    header.snapshotId,
    header.clusterName,
    formatTime(header.clusterTime.t * 1000),
    formatCount(header.documents),
    formatBytes(header.bytes),
    formatBytes(header.writtenStoredBytes),
  ]);
  const layout = [
    { header: 'ID' },
    { header: 'CLUSTER', elastic: true },
    { header: 'DATA AT' },
    { header: 'DOCUMENTS', align: 'right' as const },
    { header: 'DATA', align: 'right' as const },
    { header: 'STORED', align: 'right' as const },
  ];
  run.answer(
    headers,
    rows.length > 0 ? renderTable(layout, rows, run.terminal) : ['The repository holds no snapshot.'],
  );
}
