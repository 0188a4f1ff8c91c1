import { Argument, Command, Option } from 'commander';
import { findId, forEachDocument, idBytes } from '../bson/raw-bson.ts';
import type { CollectionEntry, Manifest } from '../repository/format/manifest.ts';
import { holderOf, replicaSetNamesOf } from '../repository/format/manifest-replica-sets.ts';
import type { Repository } from '../repository/repository.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { findManifest } from './manifest-lookup.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import {
  dataDirOption,
  fromOption,
  jsonOption,
  passphraseFileOption,
  repositoryOption,
  snapshotArgument,
  wholeNumber,
} from './options.ts';
import { formatBytes, formatCount } from './sizes.ts';
import { renderTable } from './table.ts';
import { NothingFound, UsageError } from './usage-error.ts';

interface BrowseOptions extends RepositoryOptions {
  from?: string;
  limit?: number;
  id?: string;
  json?: boolean;
}

const BUCKETS = 'system.buckets.';

export function snapshotBrowseCommand(tools: CommandTools): Command {
  return new Command('browse')
    .description('list what a snapshot holds; with a collection, print its documents as lines of Extended JSON')
    .addArgument(snapshotArgument())
    .addArgument(new Argument('[namespace]', '`database`, or `database.collection`'))
    .addOption(new Option('--limit <number>', 'stop after so many documents').argParser(wholeNumber(1)))
    .addOption(new Option('--id <id>', 'only the document with this _id: text, a number, or Extended JSON'))
    .addOption(fromOption())
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((snapshot: string, namespace: string | undefined, options: BrowseOptions) =>
      runCommand(tools, options, (run) => browse(run, snapshot, namespace, options)),
    );
}

async function browse(
  run: CommandRun,
  snapshot: string,
  namespace: string | undefined,
  options: BrowseOptions,
): Promise<void> {
  const repository = await openRepositoryOf(run, options);
  const manifest = await findManifest(repository, { snapshot, from: options.from }, run.signal);
  if (namespace?.includes('.')) await printDocuments(run, repository, manifest, namespace, options);
  else listCollections(run, manifest, namespace);
}

/** Of a time series the measurements' buckets are not listed beside it: they are what it is kept in. */
function listCollections(run: CommandRun, manifest: Manifest, database: string | undefined): void {
  const all = manifest.collections.filter(({ db }) => database === undefined || db === database);
  if (database !== undefined && all.length === 0)
    throw new NothingFound(
      `The snapshot has no database ${database}. ${thereAre(manifest.collections.map(({ db }) => db))}`,
    );
  const several = replicaSetNamesOf(manifest).length > 1;
  const series = new Set(
    all.filter(({ type }) => type === 'timeseries').map(({ db, name }) => `${db}.${BUCKETS}${name}`),
  );
  const listed = all.filter(({ db, name }) => !series.has(`${db}.${name}`)).map((entry) => itemOf(entry, manifest));
  const rows = listed.map(({ db, collection, type, documents, bytes, replicaSetName }) => [
    db,
    collection,
    type,
    documents === null ? '' : formatCount(documents),
    bytes === null ? '' : formatBytes(bytes),
    ...(several ? [replicaSetName] : []),
  ]);
  const layout = [
    { header: 'DATABASE' },
    { header: 'COLLECTION', elastic: true },
    { header: 'TYPE' },
    { header: 'DOCUMENTS', align: 'right' as const },
    { header: 'DATA', align: 'right' as const },
    ...(several ? [{ header: 'SHARD' }] : []),
  ];
  run.answer(listed, renderTable(layout, rows, run.terminal));
}

const SHOWN_MAX = 20;

function thereAre(names: readonly string[]): string {
  const all = [...new Set(names)].sort();
  const more = all.length > SHOWN_MAX ? `, and ${all.length - SHOWN_MAX} more` : '';
  return all.length === 0
    ? 'There is nothing of that database.'
    : `There are: ${all.slice(0, SHOWN_MAX).join(', ')}${more}.`;
}

function itemOf(entry: CollectionEntry, manifest: Manifest) {
  const { db, name, type } = entry;
  const data = type === 'timeseries' ? bucketsOf(entry, manifest.collections) : entry;
  const counted = type === 'collection';
  return {
    db,
    collection: name,
    type,
    /** Of a time series unknown: it keeps count of buckets. */
    documents: counted ? entry.documents : null,
    bytes: type === 'view' ? null : (data?.bytes ?? 0),
    indexes: data?.indexes.length ?? 0,
    replicaSetName: holderOf(entry, replicaSetNamesOf(manifest)),
  };
}

function bucketsOf(entry: CollectionEntry, collections: readonly CollectionEntry[]): CollectionEntry | undefined {
  return collections.find(
    ({ db, name, replicaSet }) => db === entry.db && name === BUCKETS + entry.name && replicaSet === entry.replicaSet,
  );
}

/** Of all shards, one after another. */
async function printDocuments(
  run: CommandRun,
  repository: Repository,
  manifest: Manifest,
  namespace: string,
  { limit = Number.POSITIVE_INFINITY, id }: BrowseOptions,
): Promise<void> {
  const entries = manifest.collections.filter(({ db, name }) => `${db}.${name}` === namespace);
  const [first] = entries;
  if (first === undefined) {
    const [db = ''] = namespace.split('.', 1);
    const beside = manifest.collections.filter((entry) => entry.db === db && !entry.name.startsWith(BUCKETS));
    throw new NothingFound(`The snapshot has no collection ${namespace}. ${thereAre(beside.map(({ name }) => name))}`);
  }
  if (first.type === 'view') throw new UsageError(`${namespace} is a view, which has no documents of its own.`);
  const { ExtendedJsonWriter } = await import('../engine/export/extended-json.ts');
  const writer = new ExtendedJsonWriter();
  const wanted = id === undefined ? null : await idsMeant(id);
  let left = limit;
  let found = 0;
  for (const entry of entries) {
    for await (const documents of documentsOf(run, repository, manifest, entry)) {
      const shown = choose(documents, wanted, left);
      left -= shown.length;
      found += shown.length;
      if (shown.length > 0 && !(await run.terminal.write(writer.lines(Buffer.concat(shown))))) return;
      if (left === 0) return;
    }
  }
  if (wanted !== null && found === 0) throw new NothingFound(`${namespace} has no document with the _id ${id}.`);
}

async function idsMeant(text: string): Promise<Set<string>> {
  const { idsMeantBy } = await import('../bson/id-bytes.ts');
  return new Set(idsMeantBy(text).map((bytes) => bytes.toString('hex')));
}

async function* documentsOf(
  run: CommandRun,
  repository: Repository,
  manifest: Manifest,
  entry: CollectionEntry,
): AsyncGenerator<Buffer, void, undefined> {
  const { readCollection } = await import('../repository/layers/layers.ts');
  const { seriesFieldsOf, unpackBucket } = await import('../engine/export/unpack-bucket.ts');
  const { signal } = run;
  const { clusterId } = manifest.header;
  if (entry.type !== 'timeseries') return yield* readCollection(repository, clusterId, entry, { signal });
  const buckets = bucketsOf(entry, manifest.collections);
  if (buckets === undefined) return;
  const fields = seriesFieldsOf(entry.info);
  for await (const documents of readCollection(repository, clusterId, buckets, { signal })) {
    const found: Buffer[] = [];
    forEachDocument(documents, (offset, length) => {
      found.push(documents.subarray(offset, offset + length));
    });
    for (const bucket of found) yield unpackBucket(bucket, fields);
  }
}

function choose(documents: Buffer, wanted: ReadonlySet<string> | null, most: number): Buffer[] {
  const chosen: Buffer[] = [];
  forEachDocument(documents, (offset, length) => {
    if (chosen.length >= most) return;
    const id = wanted === null ? null : findId(documents, offset);
    if (wanted !== null && (id === null || !wanted.has(idBytes(documents, id).toString('hex')))) return;
    chosen.push(documents.subarray(offset, offset + length));
  });
  return chosen;
}
