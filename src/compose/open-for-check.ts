import { stat } from 'node:fs/promises';
import { openCatalog } from '../catalog/catalog.ts';
import { catalogPathOf } from '../config.ts';
import { type ExpectedContent, expectedByCatalog } from '../domain/repositories/expected-content.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Repository } from '../repository/repository.ts';
import type { OpenOptions } from './open-options.ts';
import { accessOf, openCopyRepositories } from './places.ts';
import { createTools } from './tools.ts';

/** What the data directory's catalog says should be there; null where there is no catalog. */
export async function readExpectedContent(dataDir: string): Promise<ExpectedContent | null> {
  const path = catalogPathOf(dataDir);
  if ((await stat(path).catch(() => null)) === null) return null;
  const catalog = await openCatalog({ path, clock: createTools(silentLogger).clock });
  try {
    return await expectedByCatalog(catalog.reader);
  } finally {
    await catalog.close();
  }
}

export async function openCopiesForCheck(
  repository: Repository,
  options: OpenOptions,
): Promise<ReadonlyMap<string, Repository>> {
  const access = await accessOf(options, createTools(silentLogger));
  return await openCopyRepositories(repository, options, access);
}
