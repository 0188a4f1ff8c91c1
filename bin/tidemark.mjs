#!/usr/bin/env node
// Runs src/cli/program.ts on a Node that can: this one when it is 24 or newer, else the one of the `node` package
// beside us.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../src/cli/program.ts', import.meta.url));
const bundled = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const major = Number(process.versions.node.split('.')[0]);

let node = process.execPath;
if (major < 24) {
  if (!existsSync(bundled)) {
    process.stderr.write(
      `tidemark needs Node 24 or newer; this is ${process.version}. Run \`npm ci\` in the checkout, which brings one.\n`,
    );
    process.exit(1);
  }
  node = bundled;
}
const child = spawn(node, ['--disable-warning=ExperimentalWarning', program, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to the whole group; other signals reach only us and are passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`tidemark could not start ${node}: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal !== null) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});
