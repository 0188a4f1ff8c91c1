import { resolve } from 'node:path';
import type { Workspace } from '../compose/service.ts';
import { copyStoresOf, environmentNames, hostsOf, jsonLossOf, verifiedWithinOf } from '../config.ts';
import type { CommandRun } from './command-run.ts';
import { type PassphraseOptions, readPassphrase, requireDataDir } from './options.ts';

export interface ServiceOptions extends PassphraseOptions {
  dataDir?: string;
  /** Also run tasks here, so that a command needs no server; leases keep it apart from one that runs. */
  worker?: boolean;
  /** For the restore jobs that it runs: `36h`, `7d`; what the environment says where left out. */
  verifiedWithin?: string;
}

/**
 * Runs `work` on an open data directory and closes it again. Loads the service only now: `tidemark --help` should not
 * wait for it.
 */
export async function withService<T>(
  run: CommandRun,
  options: ServiceOptions,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const dataDir = resolve(requireDataDir(options));
  const passphrase = await readPassphrase(options, run.env);
  const copyStores = copyStoresOf((run.env[environmentNames.copyStores] ?? '').split(','));
  const repository = run.env[environmentNames.repository];
  const objectStores = run.env[environmentNames.objectStores];
  const clusterAllow = hostsOf(run.env[environmentNames.clusterAllow]);
  const clusterIdentities = run.env[environmentNames.clusterIdentities];
  const jsonLoss = jsonLossOf(run.env[environmentNames.jsonLoss]);
  const { composeOffline } = await import('../compose/service.ts');
  const verifiedWithinMs = verifiedWithinOf(options.verifiedWithin ?? run.env[environmentNames.verifiedWithinMs]);
  const places = {
    ...{ copyStores, repository, objectStores, clusterAllow, clusterIdentities },
    ...{ jsonLoss, verifiedWithinMs },
  };
  const workspace = await composeOffline({ dataDir, passphrase, ...places, worker: options.worker === true });
  try {
    return await work(workspace);
  } finally {
    await workspace.close();
  }
}
