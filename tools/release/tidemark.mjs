#!/usr/bin/env node
// What the npm package's `tidemark` runs: the program that was built into ../dist.
import module from 'node:module';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`tidemark needs Node 24 or newer; this is ${process.version}.\n`);
  process.exit(1);
}
// SQLite comes with Node and is marked experimental there; nobody who runs a command can do anything about it.
const emitWarning = process.emitWarning;
process.emitWarning = (warning, ...rest) => {
  if (rest[0] !== 'ExperimentalWarning' && rest[0]?.type !== 'ExperimentalWarning') emitWarning(warning, ...rest);
};
// Before the program is loaded, so that it is cached too; where the cache cannot be written nothing is lost.
module.enableCompileCache();
const { startProgram } = await import('../dist/program.js');
await startProgram();
