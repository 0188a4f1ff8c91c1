import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { findMongod } from './fetch-mongod.ts';
import { findServers } from './servers.ts';
import { type Report, readReport, renderReport, renderServers, type ServerRun, together } from './skipped-tests.ts';
import { balanced, findTestFiles, kindOf, needsMongod } from './test-files.ts';

/**
 * `npm test [-- options] [patterns]`: node:test over our test files, two at a time, ending with the runner's own
 * summary. A pattern is a part of a path. `--unit` leaves out what starts servers. `--seeds N` and `--long` make the
 * randomized tests run longer. `--store s3` has the engine's repositories in a real S3 server instead of memory
 * (test/support/empty-store.ts). `--servers` runs the engine's suites on every server that can be had, or those that a
 * pattern names; without it and without patterns a few of them are run at the end on the servers on which they are
 * known to pass. `--no-servers` leaves that out.
 */
const root = join(import.meta.dirname, '..');
const FILES_AT_ONCE = 2;
/** As many as run at once: each loads all modules once more. */
const GROUPS = 2;
const PROMISES_UNTRACKED = pathToFileURL(join(import.meta.dirname, 'promises-untracked.mjs')).href;
/** Where Node keeps what it compiled, types stripped: half of what loading the modules takes. */
const COMPILED = join(root, 'node_modules/.cache/tidemark-tests');
/** What each pure file took when it was last run. */
const TOOK = join(root, 'node_modules/.cache/tidemark-test-times.json');
const FILE_LIMIT_MS = 15 * 60_000;

interface Options {
  unit: boolean;
  long: boolean;
  seeds: string | undefined;
  only: string | undefined;
  store: string | undefined;
  /** On every server that can be had; `some` is the bounded part of each whole run. */
  servers: 'all' | 'some' | 'none';
  patterns: string[];
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      unit: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      seeds: { type: 'string' },
      only: { type: 'string' },
      store: { type: 'string' },
      servers: { type: 'boolean' },
      'no-servers': { type: 'boolean' },
    },
  });
  if (values.seeds !== undefined && !/^[1-9]\d*$/.test(values.seeds)) throw new Error('--seeds takes a whole number');
  const { unit, long, seeds, only, store } = values;
  if (store !== undefined && !/^(memory|s3)$/.test(store)) throw new Error('--store is memory or s3');
  const whole = !unit && positionals.length === 0 && only === undefined && values['no-servers'] !== true;
  const servers = values.servers === true ? 'all' : whole ? 'some' : 'none';
  return { unit, long, seeds, only, store, servers, patterns: positionals };
}

function chosenFiles({ unit, patterns }: Options): string[] {
  return findTestFiles(root)
    .filter((file) => !unit || kindOf(file) === undefined)
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
}

function environment(options: Options, mongod: string | undefined): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: COMPILED, ...process.env };
  if (mongod !== undefined) env.MONGOD_BINARY = mongod;
  if (options.seeds !== undefined) env.TIDEMARK_SEEDS = options.seeds;
  if (options.long) env.TIDEMARK_LONG = '1';
  if (options.store !== undefined) env.TIDEMARK_TEST_STORE = options.store;
  return env;
}

/**
 * Files that touch nothing outside themselves share a few processes: starting one for each of them, and loading the
 * same modules in it again, took twice as long as the tests. Each group is a file that imports its members; messages
 * still name the file that a test is in.
 */
async function grouped(files: readonly string[], directory: string): Promise<string[]> {
  const alone = files.filter((file) => kindOf(file) !== undefined);
  const pure = files.filter((file) => kindOf(file) === undefined);
  const groups: string[] = [];
  for (const [index, members] of balanced(pure, GROUPS, await readTook()).entries()) {
    if (members.length === 0) continue;
    const imports = members.map((file) => `await import(${JSON.stringify(pathToFileURL(join(root, file)).href)});\n`);
    const path = join(directory, `group-${index + 1}.test.mjs`);
    await writeFile(path, [`import ${JSON.stringify(PROMISES_UNTRACKED)};\n`, ...imports].join(''));
    groups.push(path);
  }
  return [...alone, ...groups];
}

/** Nothing where it was never noted. */
async function readTook(): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(TOOK, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}

async function noteTook({ tookMs }: Report): Promise<void> {
  const pure = Object.entries(tookMs).filter(([file]) => kindOf(file) === undefined && !file.startsWith('..'));
  await mkdir(dirname(TOOK), { recursive: true });
  await writeFile(TOOK, JSON.stringify({ ...(await readTook()), ...Object.fromEntries(pure) }));
}

function runFiles(
  files: readonly string[],
  options: Options,
  { reportPath, mongod }: { reportPath: string; mongod: string | undefined },
): Promise<number> {
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-concurrency=${FILES_AT_ONCE}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(join(import.meta.dirname, 'skip-reporter.mjs')).href}`,
    `--test-reporter-destination=${reportPath}`,
  ];
  if (!options.long) flags.push(`--test-timeout=${FILE_LIMIT_MS}`);
  if (options.only !== undefined) flags.push(`--test-name-pattern=${options.only}`);
  const child = spawn(process.execPath, [...flags, ...files], {
    cwd: root,
    stdio: 'inherit',
    env: environment(options, mongod),
  });
  // On a terminal the child gets Ctrl-C itself; a signal sent to us alone is passed on, and either way we wait for its
  // summary.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** One run of these files, on this mongod. */
async function runOnce(
  files: readonly string[],
  options: Options,
  mongod?: string,
): Promise<{ code: number; report: Report }> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-tests-'));
  try {
    const reportPath = join(directory, 'skipped.jsonl');
    const code = await runFiles(await grouped(files, directory), options, { reportPath, mongod });
    const report = readReport(await readFile(reportPath, 'utf8'), root);
    if (report === null) throw new Error('the test runner ended before its summary');
    await noteTook(report);
    return { code, report };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The engine's: exactness, what peers lose, replay, history, sharded clusters, archives. */
const SERVER_SUITES = ['test/exactness/', 'src/engine/'];
/**
 * What of them is run on each server every time. Not the random workloads: a member of 5.0.4 ends by an invariant of
 * its own when a collection is dropped in the middle of an index build (`repl_index_build_state.cpp`).
 */
const SOME_SUITES = [
  'src/engine/take/take-snapshot.mongo',
  'test/exactness/replay-kinds.mongo',
  'src/engine/archive/write-archive.mongo',
];

/** The same suites on each server that can be had, one after another. */
async function runOnServers(options: Options): Promise<ServerRun[]> {
  const wanted = options.servers === 'some' ? SOME_SUITES : SERVER_SUITES;
  const files = findTestFiles(root)
    .filter((file) => kindOf(file) === 'mongo' && wanted.some((part) => file.includes(part)))
    .filter((file) => options.patterns.length === 0 || options.patterns.some((pattern) => file.includes(pattern)));
  if (files.length === 0) throw new Error(`no suite of the engine matches ${options.patterns.join(' ')}`);
  const runs: ServerRun[] = [];
  for (const { version, binary, why } of await findServers(options.servers === 'all' ? 'all' : 'known')) {
    if (binary === null) {
      runs.push({ version, suites: files.length, report: null, why });
      continue;
    }
    console.log(`\nOn ${version}: ${files.length} suites`);
    const { report } = await runOnce(files, options, binary);
    runs.push({ version, suites: files.length, report, why: '' });
  }
  return runs;
}

async function main(): Promise<number> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) throw new Error(`the tests need Node 24, this is ${process.version}: use npm test`);
  const options = readOptions();
  const reports: Report[] = [];
  let code = 0;
  if (options.servers !== 'all') {
    const files = chosenFiles(options);
    if (files.length === 0) throw new Error(`no test file matches ${options.patterns.join(' ') || '--unit'}`);
    if (files.some(needsMongod)) process.env.MONGOD_BINARY = await findMongod();
    const ran = await runOnce(files, options);
    code = ran.code;
    reports.push(ran.report);
  }
  const runs = options.servers === 'none' ? [] : await runOnServers(options);
  for (const { report } of runs) {
    if (report === null) continue;
    reports.push(report);
    if (report.counts.failed + report.counts.cancelled > 0) code = 1;
  }
  if (runs.length > 0) console.log(`\n${renderServers(runs).join('\n')}`);
  console.log(`\n${renderReport(together(reports)).join('\n')}`);
  return code;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 2;
}
