import type { JsonLoss } from '../config.ts';
import type { Logger } from '../lib/logger.ts';

/** Where a data directory is and how it is opened. */
export interface OpenOptions {
  dataDir: string;
  passphrase?: string | undefined;
  /** Region and directory or URL of each; none where left out. */
  copyStores?: Readonly<Record<string, string>>;
  /** Directory or URL; what the data directory says where left out. */
  repository?: string | undefined;
  /** Path of the file of object stores. */
  objectStores?: string | undefined;
  /** Hosts and networks where clusters may be; anywhere where left out or empty. */
  clusterAllow?: readonly string[];
  /** Path of the file of cluster identities. */
  clusterIdentities?: string | undefined;
  log?: Logger | undefined;
  /** Ends every call to the repository when it fires. */
  signal?: AbortSignal | undefined;
  awsPrincipalArn?: string | undefined;
  gcpServiceAccount?: string | undefined;
  /** In exports and downloads; left out and named where this is not said. */
  jsonLoss?: JsonLoss | undefined;
  /** Restore jobs do not read every blob beforehand where that was done within this time. */
  verifiedWithinMs?: number | undefined;
}
