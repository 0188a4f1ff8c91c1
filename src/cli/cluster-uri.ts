import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Cluster, ConnectedNow } from '../domain/clusters/clusters.ts';
import { requireSecret } from '../lib/private-files.ts';
import { UsageError } from './usage-error.ts';

export interface ClusterUriOptions {
  uri?: string;
  uriFile?: string;
}

/**
 * A connection string holds a password as a rule, and what stands on a command line is seen by every user of the
 * machine: so a file or a variable first.
 */
export function addUriOptions(command: Command): Command {
  return command
    .option('--uri-file <file>', 'file whose first line is the connection string, with credentials where it needs them')
    .addOption(
      new Option('--uri <uri>', 'the connection string itself; better in the variable or in --uri-file').env(
        'TIDEMARK_CLUSTER_URI',
      ),
    );
}

/** The file goes before the variable. */
export async function readClusterUri({ uri, uriFile }: ClusterUriOptions): Promise<string> {
  if (uriFile === undefined) {
    if (uri !== undefined && uri !== '') return await readable(uri);
    throw new UsageError('Say how to reach the cluster: --uri-file <file>, or set TIDEMARK_CLUSTER_URI.');
  }
  await requireSecret(uriFile);
  const text = await readFile(uriFile, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`The file of the connection string ${uriFile} cannot be read.`, { cause });
  });
  const line = text.split(/\r?\n/, 1)[0]?.trim() ?? '';
  if (line === '') throw new UsageError(`The first line of ${uriFile} is empty; it must be the connection string.`);
  return await readable(line);
}

/** Here already, where it is wrong usage; later it would be a cluster that cannot be reached. */
async function readable(uri: string): Promise<string> {
  const { parseUri } = await import('../mongo/connection/connection-string.ts');
  parseUri(uri);
  return uri;
}

/** What is printed of a cluster that was just connected to. */
export function describeConnected(cluster: Cluster): string {
  const what = cluster.type === 'sharded' ? 'sharded cluster, config servers' : 'replica set';
  return `${what} ${cluster.replicaSetName}, MongoDB ${cluster.mongodVersion}`;
}

/** Said once: none where the string says nothing that Tidemark sets itself. */
export function overriddenLines({ overriddenOptions }: ConnectedNow): string[] {
  if (overriddenOptions.length === 0) return [];
  return [
    `Not taken from the connection string, because Tidemark sets them for its own connections: ${overriddenOptions.join(', ')}.`,
  ];
}
