import { resolve } from 'node:path';
import type { CallersDomain } from '../compose/operator.ts';
import { requireDataDir } from './options.ts';

/** Runs `work` on what concerns callers. Needs neither the repository nor its passphrase. */
export async function withCallers<T>(
  options: { dataDir?: string },
  work: (opened: { domain: CallersDomain }) => Promise<T>,
): Promise<T> {
  const { openCallers } = await import('../compose/operator.ts');
  const opened = await openCallers(resolve(requireDataDir(options)));
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
