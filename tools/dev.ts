/**
 * The loop for working on Tidemark: `npm run dev`. A mongod with sample data, and the service on a temporary data
 * directory, restarted whenever a file that it runs changes. Ctrl-C removes everything.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withInterruption } from '../src/cli/interruption.ts';
import { isAbort } from '../src/lib/abort.ts';
import { describeError } from '../src/lib/errors.ts';
import { ReplicaSet } from '../test/support/replica-set.ts';
import type { Credentials } from './demo/atlas-client.ts';
import { loadSampleData } from './demo/sample-cluster.ts';
import { runTidemark } from './demo/tidemark-process.ts';

const PROGRAM = fileURLToPath(new URL('../src/cli/program.ts', import.meta.url));
const CLUSTER = 'Shop';

async function develop(
  options: { port: string; bytes: number },
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const dataDir = join(directory, 'data');
  const source = await ReplicaSet.start({ name: 'dev' });
  try {
    await loadSampleData(source.client, options.bytes, () => signal.throwIfAborted());
    const credentials = (await runTidemark(['init', '--data-dir', dataDir])) as Credentials;
    await runTidemark(['cluster', 'add', CLUSTER, '--data-dir', dataDir], source.uri);
    console.log(`mongod   ${source.uri}`);
    console.log(`data     ${dataDir}`);
    console.log(`project  ${credentials.projectId}, cluster ${CLUSTER}`);
    console.log(`API key  ${credentials.apiKey.publicKey} ${credentials.apiKey.privateKey}`);
    console.log(`account  ${credentials.serviceAccount.clientId} ${credentials.serviceAccount.clientSecret}`);
    const args = ['--watch', '--watch-preserve-output', '--disable-warning=ExperimentalWarning', PROGRAM];
    const server = spawn(process.execPath, [...args, 'serve', '--data-dir', dataDir, '--port', options.port], {
      stdio: 'inherit',
    });
    signal.addEventListener('abort', () => server.kill('SIGTERM'), { once: true });
    await once(server, 'exit');
  } finally {
    await source.stop();
  }
}

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8080' }, 'size-mb': { type: 'string', default: '20' } },
});
const directory = await mkdtemp(join(tmpdir(), 'tidemark-dev-'));
try {
  const bytes = Math.max(1, Number(values['size-mb'])) * 1e6;
  await withInterruption((signal) => develop({ port: values.port, bytes }, directory, signal));
} catch (error) {
  if (!isAbort(error)) {
    console.error(describeError(error));
    process.exitCode = 1;
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
