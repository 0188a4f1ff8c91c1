import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { ConnectedNow } from '../domain/clusters/clusters.ts';
import { requireSecret } from '../lib/private-files.ts';
import type { CommandRun } from './command-run.ts';
import { UsageError } from './usage-error.ts';

export interface ClusterUriOptions {
  uri?: string;
  uriFile?: string;
}

/** The variables that hold a connection string: of a cluster that is backed up, and of one that is restored into. */
export const uriVariables = { cluster: 'TIDEMARK_CLUSTER_URI', target: 'TIDEMARK_TARGET_URI' } as const;
type UriOf = keyof typeof uriVariables;

const URI_BYTES_MAX = 64 * 1024;

/**
 * A connection string holds a password as a rule, and what stands on a command line is seen by every user of the
 * machine: so a file, standard input or a variable first. Beside a `--to` the option is the other way to name a target.
 */
export function addUriOptions(command: Command, uriOf: UriOf): Command {
  const what = uriOf === 'cluster' ? 'the connection string' : 'the connection string of any other target';
  const file = new Option(
    '--uri-file <file>',
    `file whose first line is ${what}, with credentials where it needs them; - for standard input (or set ${uriVariables[uriOf]})`,
  );
  const uri = new Option('--uri <uri>', `${what} itself, where it holds no password`);
  if (uriOf === 'cluster') return command.addOption(file).addOption(uri);
  return command.addOption(file.conflicts('to')).addOption(uri.conflicts('to'));
}

/** The option goes before the variable. Undefined where nothing was given. */
export async function readUri(
  run: CommandRun,
  { uri, uriFile }: ClusterUriOptions,
  uriOf: UriOf,
): Promise<string | undefined> {
  const variable = uriVariables[uriOf];
  if (uriFile !== undefined && uri !== undefined) throw new UsageError('Give --uri-file or --uri, not both.');
  if (uriFile !== undefined) return await readable(await firstLine(run, uriFile));
  if (uri === undefined || uri === '') {
    const set = run.env[variable];
    return set === undefined || set === '' ? undefined : await readable(set);
  }
  const { parseUri } = await import('../mongo/connection/connection-string.ts');
  if (parseUri(uri).password !== '') {
    const { yellow } = run.terminal.errorColors;
    run.terminal.printError(
      `${yellow('tidemark:')} every user of this machine can see the password in --uri: give --uri-file <file> (or -), or set ${variable}\n`,
    );
  }
  return uri;
}

export async function readClusterUri(run: CommandRun, options: ClusterUriOptions): Promise<string> {
  const uri = await readUri(run, options, 'cluster');
  if (uri !== undefined) return uri;
  throw new UsageError(`Say how to reach the cluster: --uri-file <file>, or set ${uriVariables.cluster}.`);
}

async function firstLine(run: CommandRun, file: string): Promise<string> {
  const [text, name] = file === '-' ? [await readInput(run), 'standard input'] : [await readSecretFile(file), file];
  const line = text.split(/\r?\n/, 1)[0]?.trim() ?? '';
  if (line === '') throw new UsageError(`The first line of ${name} is empty; it must be the connection string.`);
  return line;
}

async function readSecretFile(file: string): Promise<string> {
  await requireSecret(file);
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`The file of the connection string ${file} cannot be read.`, { cause });
  });
}

/** A person is asked; of a pipe no more is read than the first line needs. */
async function readInput({ terminal, signal }: CommandRun): Promise<string> {
  const typed = await terminal.ask('Connection string: ', signal);
  if (typed !== null) return typed;
  let text = '';
  const input = Readable.from(process.stdin.setEncoding('utf8'), { signal });
  for await (const piece of input as AsyncIterable<string>) {
    text += piece;
    if (text.includes('\n') || text.length > URI_BYTES_MAX) break;
  }
  return text;
}

/** Here already, where it is wrong usage; later it would be a cluster that cannot be reached. */
async function readable(uri: string): Promise<string> {
  const { parseUri } = await import('../mongo/connection/connection-string.ts');
  parseUri(uri);
  return uri;
}

/** What is given where; none where nothing is missing. */
export function missingLines({ missingPrivileges }: ConnectedNow): string[] {
  if (missingPrivileges.length === 0) return [];
  return [
    `Snapshots need more than the user of the connection string may do. It lacks: ${missingPrivileges.join('; ')}.`,
    'docs/operations.md, What the source must allow, has the role to give it.',
  ];
}

/** Said once: none where the string says nothing that Tidemark sets itself. */
export function overriddenLines({ overriddenOptions }: ConnectedNow): string[] {
  if (overriddenOptions.length === 0) return [];
  return [
    `Not taken from the connection string, because Tidemark sets them for its own connections: ${overriddenOptions.join(', ')}.`,
  ];
}
