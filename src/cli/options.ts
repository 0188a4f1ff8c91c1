import { readFile } from 'node:fs/promises';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { environmentNames, jsonLosses } from '../config.ts';
import { isId } from '../lib/ids.ts';
import { requireSecret } from '../lib/private-files.ts';
import { UsageError } from './usage-error.ts';

/** Options that several commands take, worded once. */
export const dataDirOption = (): Option =>
  new Option('--data-dir <directory>', 'where Tidemark keeps its catalog and repository').env('TIDEMARK_DATA_DIR');
export const repositoryOption = (): Option =>
  new Option(
    '--repository <place>',
    'a repository by itself, with no catalog; goes before --data-dir. A directory or URL',
  );
export const placeOption = (): Option =>
  new Option(
    '--repository <place>',
    'where the repository is, if not inside the data directory: a directory, s3://bucket/prefix, azure://account/container/prefix or gs://bucket/prefix; behind it ?endpoint=URL, for s3 also &region= and &pathStyle=true',
  ).env('TIDEMARK_REPOSITORY');
export const objectStoresOption = (): Option =>
  new Option(
    '--object-stores <file>',
    'JSON file of endpoints and credentials for buckets, where the cloud’s own defaults are not meant',
  ).env('TIDEMARK_OBJECT_STORES');
export const jsonLossOption = (): Option =>
  new Option(
    '--json-loss <omit|fail>',
    'what Extended JSON has no text for is left out and named (omit), or nothing is made (fail)',
  )
    .choices(jsonLosses)
    .env(environmentNames.jsonLoss);
export const verifiedWithinOption = (): Option =>
  new Option(
    '--verified-within <time>',
    'do not read every blob before a restore where that was done within this time, as 36h or 7d',
  ).env(environmentNames.verifiedWithinMs);
export const snapshotOption = (): Option =>
  new Option('--snapshot <id>', 'the snapshot, or `latest`; may be left out where a time is given').argParser(
    parseSnapshot,
  );
export const snapshotArgument = (): Argument =>
  new Argument('<snapshot>', 'its id, or `latest`').argParser(parseSnapshot);
export const fromOption = (): Option =>
  new Option(
    '--from <cluster>',
    'whose snapshot, by the name or id of its cluster; needed for `latest` where several clusters have snapshots',
  );
export const jsonOption = (): Option => new Option('--json', 'print JSON on standard output');
export const yesOption = (): Option => new Option('--yes', 'do not ask for confirmation');
export const projectOption = (): Option =>
  new Option('--project <id>', 'project of the cluster; needed only where there are several').argParser(parseId);
export const passphraseFileOption = (): Option =>
  new Option(
    '--passphrase-file <file>',
    'file whose first line is the passphrase of the repository (or set TIDEMARK_PASSPHRASE)',
  );

export function parseId(text: string): string {
  if (!isId(text)) throw new InvalidArgumentError('An id is 24 hex digits.');
  return text;
}

/** An id, or `latest`. */
export function parseSnapshot(text: string): string {
  if (text !== 'latest' && !isId(text))
    throw new InvalidArgumentError(
      'A snapshot is named by its id, 24 hex digits (`tidemark snapshot list`), or `latest`.',
    );
  return text;
}

/** A whole number from `least` up. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    }
    return number;
  };
}

export interface PassphraseOptions {
  passphraseFile?: string | undefined;
}

/**
 * From the file, else from the environment, else none. An empty passphrase is refused: it is a mistake in a script, not
 * a choice.
 */
export async function readPassphrase(
  options: PassphraseOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (options.passphraseFile === undefined) {
    if (env.TIDEMARK_PASSPHRASE === '')
      throw new UsageError('TIDEMARK_PASSPHRASE is set but empty: unset it, or give the passphrase.');
    return env.TIDEMARK_PASSPHRASE;
  }
  await requireSecret(options.passphraseFile);
  const text = await readFile(options.passphraseFile, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`The passphrase file ${options.passphraseFile} cannot be read.`, { cause });
  });
  const passphrase = text.split(/\r?\n/, 1)[0] ?? '';
  if (passphrase === '')
    throw new UsageError(`The first line of ${options.passphraseFile} is empty; it must be the passphrase.`);
  return passphrase;
}

export function requireDataDir(options: { dataDir?: string | undefined }): string {
  if (options.dataDir === undefined || options.dataDir === '') {
    throw new UsageError('Say where the data directory is: --data-dir <directory>, or set TIDEMARK_DATA_DIR.');
  }
  return options.dataDir;
}
