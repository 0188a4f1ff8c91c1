import { stat } from 'node:fs/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { takeProcessLock } from '../catalog/process-lock.ts';
import { readSetting, writeSetting } from '../catalog/settings.ts';
import { catalogPathOf, lockPathOf, type ServiceConfig } from '../config.ts';
import { createDuties, createTaskHandlers } from '../domain/create-domain.ts';
import type { Domain } from '../domain/domain.ts';
import { flushCatalogCopy } from '../domain/repositories/flush-catalog-copy.ts';
import { Fault } from '../lib/errors.ts';
import type { IdSource } from '../lib/ids.ts';
import { createLogger, silentLogger } from '../lib/logger.ts';
import type { Repository } from '../repository/repository.ts';
import { recoverTasks } from '../tasks/queue.ts';
import { Timer } from '../tasks/timer.ts';
import type { Worker } from '../tasks/worker.ts';
import { clockDoubt, clockWatchDuty } from './clock-watch.ts';
import type { ApiServer } from './http-server.ts';
import type { OpenOptions } from './open-options.ts';
import { openParts, reserveDuty } from './open-parts.ts';
import { createTools } from './tools.ts';
import { createWorkers, stopWorkers, wakeAll } from './workers.ts';

/** A data directory, open: what commands work with. */
export interface Workspace {
  readonly catalog: Catalog;
  readonly repository: Repository;
  readonly domain: Domain;
  /**
   * Run tasks in this process; none where that was not asked for, and a server or the next command with workers runs
   * them.
   */
  readonly workers: readonly Worker[];
  /** Puts back what still runs, writes the catalog copy that is due, closes. */
  close(): Promise<void>;
}

export interface Service extends Workspace {
  readonly server: ApiServer;
  readonly timer: Timer;
  /** Starts workers, timer and server. Resolves with the address that it listens on, once it does. */
  listen(): Promise<string>;
}

/**
 * The whole service, not yet listening. Throws a Fault where another one serves from the directory, or where it is
 * none.
 */
export async function composeService(config: ServiceConfig): Promise<Service> {
  // A command that serves nothing does not wait for it to be loaded.
  const { createServer, plainHttpWarning } = await import('./http-server.ts');
  const tools = createTools(createLogger(config.logLevel));
  await requireDataDirectory(config.dataDir);
  const lock = takeProcessLock(lockPathOf(config.dataDir));
  try {
    const workers: Worker[] = [];
    const parts = await openParts(config, tools, () => wakeAll(workers));
    const { catalog, domain, context, ports, repository } = parts;
    const owner = await instanceId(catalog, tools.ids);
    workers.push(...createWorkers(parts, tools, { owner, concurrency: config.concurrency }));
    const doubt = async () => await clockDoubt(repository);
    const duties = [
      reserveDuty(config.dataDir, tools),
      clockWatchDuty(repository, tools.log),
      ...createDuties(context, doubt),
    ];
    const timer = new Timer({ clock: tools.clock, log: tools.log, duties });
    const server = createServer(config, parts, tools);
    return {
      catalog,
      repository,
      domain,
      server,
      workers,
      timer,
      listen: async () => {
        const recovered = await recoverTasks(catalog, owner);
        if (recovered > 0)
          tools.log.warn({ tasks: recovered }, 'took up tasks that were cut off when the service last ended');
        const warning = plainHttpWarning(config);
        if (warning !== null) tools.log.warn({ host: config.host }, warning);
        const address = await server.listen({ host: config.host, port: config.port });
        for (const worker of workers) worker.start();
        timer.start();
        return address;
      },
      close: async () => {
        await server.close();
        await timer.stop();
        await stopWorkers(workers, tools);
        await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
        await catalog.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Catalog, repository and rules without a server. With `worker` tasks run in this process, until it is closed. */
export async function composeOffline(options: OpenOptions & { worker?: boolean }): Promise<Workspace> {
  const tools = createTools(options.log ?? silentLogger);
  await requireDataDirectory(options.dataDir);
  const workers: Worker[] = [];
  const parts = await openParts(options, tools, () => wakeAll(workers));
  const { catalog, repository, context, ports, domain } = parts;
  if (options.worker === true)
    workers.push(...createWorkers(parts, tools, { owner: tools.ids.next(), concurrency: 1 }));
  for (const worker of workers) worker.start();
  return {
    catalog,
    repository,
    domain,
    workers,
    close: async () => {
      await stopWorkers(workers, tools);
      await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
      await catalog.close();
    },
  };
}

/** The owner of leases: the same after a restart, so that its tasks are known as its own. */
async function instanceId(catalog: Catalog, ids: IdSource): Promise<string> {
  return await catalog.transact(async (writer) => {
    const known = await readSetting(writer, 'instanceId');
    if (known !== null) return known;
    const made = ids.next();
    await writeSetting(writer, 'instanceId', made);
    return made;
  });
}

export async function requireDataDirectory(dataDir: string): Promise<void> {
  const found = await stat(catalogPathOf(dataDir)).catch(() => null);
  if (found !== null) return;
  throw new Fault({
    op: 'open the data directory',
    subject: dataDir,
    message: `there is no Tidemark in ${dataDir}`,
    hint: 'Run `tidemark init` first; or `tidemark repository rebuild` where there is a repository and the catalog was lost',
  });
}
