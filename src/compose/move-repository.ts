import { rm } from 'node:fs/promises';
import { openCatalog } from '../catalog/catalog.ts';
import { takeProcessLock } from '../catalog/process-lock.ts';
import { readSetting } from '../catalog/settings.ts';
import { listTasks } from '../catalog/tasks.ts';
import { catalogPathOf, lockPathOf, repositoryPathOf, repositoryPlaceOf, repositoryPlacePathOf } from '../config.ts';
import { Fault } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import type { ReportProgress } from '../lib/progress.ts';
import { copyEverything, findForeign } from '../repository/copy-everything.ts';
import { readDescription } from '../repository/description.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openStoreAt } from '../storage/open-store.ts';
import { requireConditionalPuts } from '../storage/require-conditional-puts.ts';
import { parseStoreUrl } from '../storage/store-url.ts';
import type { OpenOptions } from './open-options.ts';
import { accessOf, writePlace } from './places.ts';
import { requireDataDirectory } from './service.ts';
import { createTools, type Tools } from './tools.ts';

export interface MovedRepository {
  from: string;
  to: string;
  /** Nothing where it had been moved already and only its place is written down now. */
  copied: { objects: number; bytes: number } | null;
}

/**
 * Copies the repository of a data directory to another place, whole and as it is, and writes down that it is there from
 * now on. One that was moved by other means is recognised by its id. What is in the old place stays. Nothing may write
 * meanwhile: a service that serves from the directory, and work that is under way, are refused.
 */
export async function moveRepository(
  options: OpenOptions & { to: string; report?: ReportProgress | undefined },
): Promise<MovedRepository> {
  const tools = createTools(silentLogger);
  const { dataDir, to, signal, report } = options;
  await requireDataDirectory(dataDir);
  const place = repositoryPlaceOf(dataDir, options.repository);
  if (samePlace(place, to)) throw moveFault(to, `the repository is in ${to} already`, 'Name the place that it goes to');
  const lock = takeProcessLock(lockPathOf(dataDir));
  try {
    const repositoryId = await requireQuiet(dataDir, tools);
    const access = await accessOf(options, tools);
    const target = await openStoreAt(to, access, 'repository');
    const there = await readDescription(target);
    if (there !== null && there.description.repositoryId !== repositoryId)
      throw moveFault(to, `there is another repository in ${target.description}`, 'Give a place that is empty');
    const source = await openStoreAt(place, access, 'repository', { existing: true }).catch((error: unknown) => {
      if (there !== null) return null;
      throw error;
    });
    if (source === null || (await readDescription(source)) === null) {
      if (there === null) throw moveFault(place, `there is no repository in ${place}`, 'Say where it is: --repository');
      await writeNewPlace(dataDir, to);
      return { from: place, to, copied: null };
    }
    const copied = await copyTo(source, target, { isThere: there !== null, signal, report });
    // Whatever another command began before this one, it has ended or is seen here.
    await requireQuiet(dataDir, tools);
    await writeNewPlace(dataDir, to);
    return { from: place, to, copied };
  } finally {
    lock.release();
  }
}

async function copyTo(
  source: ObjectStore,
  target: ObjectStore,
  {
    isThere,
    signal,
    report,
  }: { isThere: boolean; signal: AbortSignal | undefined; report: ReportProgress | undefined },
): Promise<{ objects: number; bytes: number }> {
  if (!isThere) {
    const foreign = await findForeign(target, source, signal);
    if (foreign !== null) {
      const hint = 'Give a place that is empty, or that an earlier `repository move` began to fill';
      throw moveFault(target.description, `${target.description} holds something else: ${foreign}`, hint);
    }
    await requireConditionalPuts(target);
  }
  const total = { objects: 0, bytes: 0 };
  // What came while it was copied is brought too; nothing comes once nobody writes.
  for (;;) {
    const { objects, bytes } = await copyEverything(source, target, { signal, report });
    if (objects === 0) return total;
    total.objects += objects;
    total.bytes += bytes;
  }
}

/** The id that the catalog knows its repository by; a Fault while work is under way. */
async function requireQuiet(dataDir: string, { clock }: Tools): Promise<string> {
  const catalog = await openCatalog({ path: catalogPathOf(dataDir), clock });
  try {
    const page = { pageNum: 1, itemsPerPage: 500, includeCount: false };
    const { items } = await listTasks(catalog.reader, { unfinished: true, page });
    const busy = items.find(({ state, leaseExpiresAtMs }) => {
      return state === 'running' && leaseExpiresAtMs !== null && leaseExpiresAtMs > clock.nowMs();
    });
    if (busy !== undefined) {
      const hint = 'Wait until `tidemark task list` shows nothing that runs, or cancel it';
      throw moveFault(dataDir, `work is under way: task ${busy.id} (${busy.kind})`, hint);
    }
    const repositoryId = await readSetting(catalog.reader, 'repositoryId');
    if (repositoryId !== null) return repositoryId;
    throw moveFault(dataDir, `making ${dataDir} was cut off before its end`, 'Run `tidemark init` again');
  } finally {
    await catalog.close();
  }
}

/** Inside the data directory is where it is looked for without a word. */
async function writeNewPlace(dataDir: string, to: string): Promise<void> {
  if (samePlace(repositoryPathOf(dataDir), to)) await rm(repositoryPlacePathOf(dataDir), { force: true });
  else await writePlace({ dataDir, repository: to });
}

function samePlace(one: string, other: string): boolean {
  return JSON.stringify(parseStoreUrl(one)) === JSON.stringify(parseStoreUrl(other));
}

function moveFault(subject: string, message: string, hint: string): Fault {
  return new Fault({ op: 'move the repository', subject, message, hint });
}
