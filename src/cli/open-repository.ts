import { systemRandom } from '../lib/random.ts';
import type { Repository } from '../repository/repository.ts';
import type { CommandRun } from './command-run.ts';
import { type PassphraseOptions, readPassphrase, requireDataDir } from './options.ts';

export interface RepositoryOptions extends PassphraseOptions {
  dataDir?: string;
  repository?: string;
}

/**
 * The repository by itself: named, or that of the data directory. Needs no catalog, so it works when the catalog is
 * lost.
 */
export async function openRepositoryOf(run: CommandRun, options: RepositoryOptions): Promise<Repository> {
  const [{ openStoreAt, storeAccess }, { openRepository }, { environmentNames, repositoryPlaceOf }] = await Promise.all(
    [import('../storage/open-store.ts'), import('../repository/repository.ts'), import('../config.ts')],
  );
  const named = run.env[environmentNames.repository];
  const place = options.repository ?? repositoryPlaceOf(requireDataDir(options), named);
  const passphrase = await readPassphrase(options, run.env);
  const objectStoresFile = run.env[environmentNames.objectStores];
  const access = await storeAccess({ objectStoresFile, env: run.env });
  const store = await openStoreAt(place, access, 'repository', { existing: true });
  const context = { store, clock: run.clock, random: systemRandom };
  const opened = await openRepository(context, passphrase === undefined ? {} : { passphrase });
  if (opened.notice !== null)
    run.terminal.printError(`${run.terminal.errorColors.yellow('tidemark:')} ${opened.notice}\n`);
  return opened;
}
