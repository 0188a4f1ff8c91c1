/**
 * `npm run ok`: lint, types and tidy side by side, each one's words together and in this order; then the pure tests,
 * which take both cores, where nothing was said against the rest.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The exit code; null where a signal ended it. */
function run(script: string, stdio: 'inherit' | 'pipe'): Promise<{ code: number | null; said: Buffer }> {
  const child = spawn('npm', ['run', '--silent', script], { cwd: root, stdio: ['ignore', stdio, stdio] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said: Buffer.concat(said) }));
  });
}

const checks = await Promise.all(['lint', 'types', 'tidy'].map(async (script) => await run(script, 'pipe')));
for (const { said } of checks) process.stdout.write(said);
process.exitCode = checks.every(({ code }) => code === 0) ? ((await run('unit', 'inherit')).code ?? 1) : 1;
