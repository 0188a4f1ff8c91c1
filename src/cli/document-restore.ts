import { Command, Option } from 'commander';
import { formatTimestamp, type Timestamp64 } from '../bson/timestamp.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { itemJson } from './document-history.ts';
import { parseDocumentId, parseEntryTime, parseNamespaceArgument } from './document-options.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, yesOption } from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { UsageError } from './usage-error.ts';

interface RestoreOptions {
  at?: Timestamp64;
  justBefore?: Timestamp64;
  collectionUuid?: string;
  toCluster?: string;
  toNamespace?: string;
  overwrite?: boolean;
  yes?: boolean;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function documentRestoreCommand(tools: CommandTools): Command {
  return new Command('restore')
    .description('write one version of a document back, into its cluster or elsewhere')
    .argument('<cluster>', 'the cluster that was backed up')
    .argument('<collection>', 'database.collection', parseNamespaceArgument)
    .argument('<id>', 'the _id: Extended JSON, 24 hex digits for an ObjectId, or a string', parseDocumentId)
    .addOption(
      new Option('--at <time>', 'the version in force then, as `document history` shows times').argParser(
        parseEntryTime,
      ),
    )
    .addOption(
      new Option('--just-before <time>', 'the version that a bad update at that time found')
        .argParser((text) => parseEntryTime(text) - 1n)
        .conflicts('at'),
    )
    .option('--collection-uuid <hex>', 'which collection, where several bore the name at that time')
    .option('--to-cluster <cluster>', 'another registered cluster')
    .addOption(
      new Option('--to-namespace <collection>', 'another database.collection').argParser(parseNamespaceArgument),
    )
    .option('--overwrite', 'replace a document that has the _id now; otherwise it is left alone')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((cluster: string, namespace: string, id: unknown, options: RestoreOptions) =>
      runCommand(tools, options, (run) => restoreDocument(run, { cluster, namespace, id }, options)),
    );
}

async function restoreDocument(
  run: CommandRun,
  named: { cluster: string; namespace: string; id: unknown },
  options: RestoreOptions,
): Promise<void> {
  const at = options.at ?? options.justBefore;
  if (at === undefined)
    throw new UsageError('Say which version: --at <time>, or --just-before <time> of a bad update.');
  await withService(run, options, async ({ domain }) => {
    const source = await findCluster(domain, named.cluster, options.project);
    const target = options.toCluster === undefined ? source : await findCluster(domain, options.toCluster, undefined);
    const targetNamespace = options.toNamespace ?? named.namespace;
    const bar = new ProgressBar(run.terminal, run.clock);
    const request = {
      projectId: source.projectId,
      clusterName: source.name,
      namespace: named.namespace,
      id: named.id,
      at,
      signal: run.signal,
      report: bar.report.bind(bar),
      ...(options.collectionUuid === undefined ? {} : { collectionUuid: options.collectionUuid }),
    };
    try {
      const version = await domain.documentHistory.version(request);
      bar.clear();
      const what = `The version of ${formatTimestamp(version.at)} is written to ${targetNamespace} of ${target.name} (${target.displayUri})`;
      const how =
        options.overwrite === true ? 'in the place of a document that has its _id' : 'unless a document has its _id';
      await confirm(run, {
        yes: options.yes,
        warning: `${version.documentJson ?? ''}\n${what}, ${how}.`,
        expected: target.name,
      });
      const restored = await domain.documentHistory.restore({
        ...request,
        targetProjectId: target.projectId,
        targetClusterName: target.name,
        targetNamespace,
        overwrite: options.overwrite === true,
      });
      bar.clear();
      const done = restored.result === 'inserted' ? 'Inserted' : 'Replaced';
      run.answer(
        { result: restored.result, target: target.name, targetNamespace, version: itemJson(restored.version) },
        [`${run.terminal.colors.green(done)} the document in ${targetNamespace} of ${target.name}.`],
      );
    } finally {
      bar.clear();
    }
  });
}
