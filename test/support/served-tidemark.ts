import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/lib/clock.ts';
import { AtlasClient, type Credentials } from '../../tools/demo/atlas-client.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { createDirectory } from './mongod.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/program.ts', import.meta.url));
const POLL_MS = 20;
const WAIT_MS_MAX = 120_000;

export interface SnapshotBody {
  id: string;
  status: string;
}

/** A data directory with `tidemark serve` on it, in a process that a test may kill. */
export class ServedTidemark {
  readonly dataDir: string;
  readonly credentials: Credentials;
  client: AtlasClient;
  #child: ChildProcess;
  readonly #serveArguments: readonly string[];

  private constructor(
    dataDir: string,
    credentials: Credentials,
    child: ChildProcess,
    client: AtlasClient,
    serveArguments: readonly string[],
  ) {
    this.#serveArguments = serveArguments;
    this.dataDir = dataDir;
    this.credentials = credentials;
    this.#child = child;
    this.client = client;
  }

  /** With `copyRegion` there is a copy store of that name beside the data directory, which is in `within`. */
  static async create({ copyRegion, within }: { copyRegion?: string; within?: string } = {}): Promise<ServedTidemark> {
    const directory = within ?? (await createDirectory());
    const dataDir = join(directory, 'data');
    const credentials = (await runTidemark(['init', '--data-dir', dataDir])) as Credentials;
    const more = copyRegion === undefined ? [] : ['--copy-store', `${copyRegion}=${join(directory, 'copies')}`];
    const { child, url } = await serve(dataDir, more);
    const client = await AtlasClient.connect(url, credentials.serviceAccount);
    return new ServedTidemark(dataDir, credentials, child, client, more);
  }

  get copiesDir(): string {
    return join(this.dataDir, '..', 'copies');
  }

  get repositoryDir(): string {
    return join(this.dataDir, 'repository');
  }

  async addCluster(name: string, uri: string): Promise<void> {
    await runTidemark(['cluster', 'add', name, '--uri', uri, '--data-dir', this.dataDir]);
  }

  /** As a power cut would: no handler of the process runs. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async restart(): Promise<void> {
    const { child, url } = await serve(this.dataDir, this.#serveArguments);
    this.#child = child;
    this.client = await AtlasClient.connect(url, this.credentials.serviceAccount);
  }

  path(cluster: string, rest: string): string {
    return `/api/atlas/v2/groups/${this.credentials.projectId}/clusters/${cluster}/backup/${rest}`;
  }

  async requestSnapshot(cluster: string): Promise<SnapshotBody> {
    const body = { description: 'test', retentionInDays: 1 };
    return await this.client.post<SnapshotBody>(this.path(cluster, 'snapshots'), body, '2023-01-01');
  }

  async snapshot(cluster: string, id: string): Promise<SnapshotBody> {
    return await this.client.get<SnapshotBody>(this.path(cluster, `snapshots/${id}`), '2023-01-01');
  }

  async whenSnapshotEnds(cluster: string, id: string): Promise<SnapshotBody> {
    return await until(`snapshot ${id} ends`, async () => {
      const body = await this.snapshot(cluster, id);
      return ['completed', 'failed'].includes(body.status) ? body : null;
    });
  }

  async remove(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
    await rm(join(this.dataDir, '..'), { recursive: true, force: true });
  }
}

async function serve(dataDir: string, more: readonly string[] = []): Promise<{ child: ChildProcess; url: string }> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    'serve',
    '--data-dir',
    dataDir,
    '--port',
    '0',
    ...more,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said = (said + piece.toString('utf8')).slice(-4_000);
  });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const found = /https?:\/\/[^\s"]+/.exec(line);
      if (found !== null) resolve(found[0].replace(/[.,;/]+$/, ''));
    });
    child.once('exit', (code) => reject(new Error(`tidemark serve ended with ${code}: ${said}`)));
  });
  return { child, url };
}

/** Waits for the condition, not for a time. */
export async function until<T>(what: string, find: () => Promise<T | null>): Promise<T> {
  const deadline = systemClock.monotonicMs() + WAIT_MS_MAX;
  for (;;) {
    const found = await find();
    if (found !== null) return found;
    if (systemClock.monotonicMs() > deadline) throw new Error(`it never came to this: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
}
