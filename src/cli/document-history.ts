import { Command, Option } from 'commander';
import { formatTimestamp, type Timestamp64, timestampParts } from '../bson/timestamp.ts';
import type { ShownVersion } from '../domain/document-history/document-history.ts';
import type { UnknownStretch } from '../engine/history/history-item.ts';
import { describeChange } from './change-words.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { parseDocumentId, parseEntryTime, parseNamespaceArgument } from './document-options.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, wholeNumber } from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatNumberOf } from './sizes.ts';
import { type Column, renderTable } from './table.ts';

interface HistoryOptions {
  from?: Timestamp64;
  to?: Timestamp64;
  limit: number;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

const LIMIT_DEFAULT = 100;

export function documentHistoryCommand(tools: CommandTools): Command {
  return new Command('history')
    .description('every version of one document, from snapshots and the captured oplog')
    .argument('<cluster>', 'a cluster')
    .argument('<collection>', 'database.collection', parseNamespaceArgument)
    .argument('<id>', 'the _id: Extended JSON, 24 hex digits for an ObjectId, or a string', parseDocumentId)
    .addOption(new Option('--from <time>', 'what was in force then, and everything since').argParser(parseEntryTime))
    .addOption(new Option('--to <time>', 'nothing after this time').argParser(parseEntryTime))
    .addOption(new Option('--limit <count>', 'versions shown at most').default(LIMIT_DEFAULT).argParser(wholeNumber(1)))
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((cluster: string, namespace: string, id: unknown, options: HistoryOptions) =>
      runCommand(tools, options, (run) => showHistory(run, { cluster, namespace, id }, options)),
    );
}

async function showHistory(
  run: CommandRun,
  named: { cluster: string; namespace: string; id: unknown },
  options: HistoryOptions,
): Promise<void> {
  await withService(run, options, async ({ domain }) => {
    const cluster = await findCluster(domain, named.cluster, options.project);
    const bar = new ProgressBar(run.terminal, run.clock);
    try {
      const { items, next } = await domain.documentHistory.list({
        projectId: cluster.projectId,
        clusterName: cluster.name,
        namespace: named.namespace,
        id: named.id,
        limit: options.limit,
        signal: run.signal,
        report: (progress) => bar.report(progress),
        ...(options.from === undefined ? {} : { fromMs: timestampParts(options.from).t * 1000 }),
        ...(options.to === undefined ? {} : { toMs: timestampParts(options.to).t * 1000 }),
      });
      bar.clear();
      run.answer(
        { results: items.map(itemJson), more: next !== null },
        pageOf(run, named.namespace, items, next !== null),
      );
    } finally {
      bar.clear();
    }
  });
}

type Item = ShownVersion | UnknownStretch;

const COLUMNS: readonly Column[] = [
  { header: 'AT' },
  { header: 'OPERATION' },
  { header: 'COLLECTION' },
  { header: 'CHANGE', elastic: true },
];

function pageOf(run: CommandRun, namespace: string, items: readonly Item[], more: boolean): string[] {
  const { colors, columns } = run.terminal;
  let before: string | null = null;
  const rows = items.map((item) => {
    const row = rowOf(item, before);
    // What happened in a stretch that nothing tells shows in the next version.
    if (item.kind === 'version') before = item.documentJson;
    return row;
  });
  // Where it is always the collection that was asked for, nobody has to be told.
  const elsewhere = rows.some(([, , where]) => where !== '' && where !== namespace);
  const shown = elsewhere ? rows : rows.map((row) => row.toSpliced(2, 1));
  const lines = renderTable(elsewhere ? COLUMNS : COLUMNS.toSpliced(2, 1), shown, { colors, columns });
  if (more) lines.push(`There are more: go on with --from ${timeOf(items.at(-1))}, or raise --limit.`);
  const versions = items.filter((item) => item.kind === 'version').length;
  return [
    ...lines,
    `${formatNumberOf(versions, 'version')}. \`tidemark document restore … --at <AT>\` brings one back, --just-before <AT> the one before.`,
  ];
}

function timeOf(item: Item | undefined): string {
  return item === undefined ? '' : formatTimestamp(item.kind === 'version' ? item.at : (item.from ?? 0n));
}

/** `before`: the document as it was until then, where that is known. */
function rowOf(item: Item, before: string | null): string[] {
  if (item.kind === 'unknown') {
    const from = item.from === null ? '-' : formatTimestamp(item.from);
    // Until when is where the next line begins.
    return [from, 'unknown', '', item.cause];
  }
  const operation = item.transaction === null ? item.operation : `${item.operation} in txn`;
  const content =
    item.documentJson === null
      ? item.content === 'absent'
        ? '-'
        : `unknown: ${item.cause ?? ''}`
      : describeChange(before, item.documentJson);
  const where = item.shardName === null ? item.namespace : `${item.namespace} on ${item.shardName}`;
  return [formatTimestamp(item.at), operation, where, content];
}

export function itemJson(item: Item): object {
  if (item.kind === 'unknown') {
    const time = (ts: Timestamp64 | null) => (ts === null ? null : timestampParts(ts));
    return { kind: 'unknown', from: time(item.from), to: time(item.to), cause: item.cause };
  }
  const { documentJson, at, transaction, ...version } = item;
  return {
    ...version,
    at: timestampParts(at),
    transaction: transaction === null ? null : { ...transaction, number: String(transaction.number) },
    document: documentJson === null ? null : (JSON.parse(documentJson) as unknown),
  };
}
