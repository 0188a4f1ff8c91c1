import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDensity } from './tidy/assert-density.ts';
import { importsOf } from './tidy/imports.ts';
import { sourceFile } from './tidy/source-file.ts';
import { maskSource } from './tidy/source-mask.ts';
import { findProblems, readTree, renderProblem } from './tidy.ts';

const ARCHITECTURE = [
  '| folder | may import from `src` | third-party it alone may import |',
  '| --- | --- | --- |',
  '| `lib` | - | `pino` |',
  '| `storage` | lib | - |',
  '| `repository` | storage/object-store.ts, lib | `node:zlib` |',
  '| `api` | contract, lib | `fastify`, `@fastify/*` |',
  '| `cli` | lib | - |',
  '| `main.ts` | lib | - |',
  '| `contract` | - | `@sinclair/typebox` |',
  '',
  '<!-- pure:begin -->',
  '- src/lib/pure.ts',
  '<!-- pure:end -->',
].join('\n');

/** A small tidy tree; each test puts something into it that is not. */
const TIDY: Record<string, string> = {
  'ARCHITECTURE.md': ARCHITECTURE,
  'README.md': 'See docs/format.md.',
  'docs/format.md': '# Format of `src/lib/pure.ts`',
  'src/lib/pure.ts': "import { createHash } from 'node:crypto';\nexport const hash = createHash('sha256');\n",
  'src/lib/clock.ts': 'export const now = () => Date.now();\n',
  'src/lib/store-name.ts': "import type { Clock } from './clock.ts';\nexport type StoreName = { clock: Clock };\n",
  'src/storage/object-store.ts': 'export interface ObjectStore {}\n',
  'src/storage/memory.ts': 'export class MemoryStore {}\n',
  'src/main.ts': "import './lib/pure.ts';\n",
};

function problemsWith(extra: Record<string, string>): string[] {
  const files = Object.entries({ ...TIDY, ...extra }).map(([path, text]) => sourceFile(path, text));
  return findProblems(files).map(renderProblem);
}

/** A section sign stands for the dollar, so that the linter does not take the fixtures for forgotten templates. */
const fixture = (text: string) => text.replaceAll('§', '$');
const lines = (count: number, line = '  work();\n') => line.repeat(count);
const UNFINISHED = `// ${'TO'}DO later\n`;
const MACHINE_PATH = `export const at = '/${'home'}/someone/x';\n`;

test('asserts are counted for functions with a name and a body of two lines or more', () => {
  const code = `
export function one<T>(a: T): Promise<{ b: T }> {
  assert(a, 'assert(here)');
  return must(a, 'b');
}
interface Port {
  two(a: { b: string }): { c: number };
}
class Three {
  constructor(readonly a = () => 1) {
    this.b = a();
    call(
      this.a,
    );
  }
  get short(): number {
    return 1;
  }
  async *#four(): AsyncGenerator<[A, B]> {
    if (a) { yield b; }
    list.map((one) => {
      return one;
    });
  }
}
`;
  assert.deepEqual(assertDensity([sourceFile('src/engine/x.ts', code)]), { asserts: 2, functions: 3 });
});

test('a tidy tree has nothing to say', () => {
  assert.deepEqual(problemsWith({}), []);
});

const COMMANDS = { 'src/oplog/operations.ts': "export const m = new Map([['drop', means('changed')]]);\n" };

const REFUSED: Record<string, [Record<string, string>, RegExp]> = {
  "an oplog command's name where entries are read": [
    { ...COMMANDS, 'src/engine/x.ts': "import { m } from '../oplog/operations.ts';\nif (m.get('drop')) f();\n" },
    /^src\/engine\/x\.ts:2: names the oplog's command drop; ask src\/oplog\/operations\.ts/,
  ],
  'an oplog command named beside the table': [
    { 'src/oplog/operations.ts': "const m = [['drop', means('changed')]];\nif (name === 'drop') f();\n" },
    /^src\/oplog\/operations\.ts:2: names the oplog's command drop/,
  ],
  'a table of oplog commands that cannot be read': [
    { 'src/oplog/operations.ts': 'export const commands = [];\n' },
    /^src\/oplog\/operations\.ts:1: has no table/,
  ],
  'a command that asks for the kind of cluster': [
    { 'src/cli/x.ts': "// 'sharded'\nif (cluster.type === 'sharded') f();\n" },
    /^src\/cli\/x\.ts:2: 'sharded': decides by the kind of cluster/,
  ],
  'an engine that is put together by the replica sets that there are': [
    { 'src/cli/x.ts': 'const all = await find(uri);\nif (replicaSets === null) f();\n' },
    /^src\/cli\/x\.ts:2: replicaSets === null: decides/,
  ],
  'a call of what is for sharded clusters only': [
    { 'src/cli/x.ts': fixture('f(item, `§{readShardedHistory(at)} of a sharded cluster`);\n') },
    /^src\/cli\/x\.ts:1: readShardedHistory: decides/,
  ],
  'a folder that says too seldom what it relies on': [
    { 'src/tasks/x.ts': 'function f() {\n  g();\n  h();\n}\n' },
    /^src\/tasks:1: has 0 asserts in 1 functions; 0\.3 each is the least/,
  ],
  'an import the table does not allow': [
    { 'src/storage/directory.ts': "import { x } from '../main.ts';\n" },
    /^src\/storage\/directory\.ts:1: storage may import nothing of main\.ts/,
  ],
  'a type import the table does not allow': [
    { 'src/lib/x.ts': "\n\nimport type { X } from '../storage/memory.ts';\n" },
    /^src\/lib\/x\.ts:3: lib may import nothing of storage/,
  ],
  'another file of a folder of which one file is allowed': [
    { 'src/repository/x.ts': "import { MemoryStore } from '../storage/memory.ts';\n" },
    /repository may import only storage\/object-store\.ts of storage/,
  ],
  'a re-export the table does not allow': [
    { 'src/lib/x.ts': "export const a = 1;\nexport { MemoryStore } from '../storage/memory.ts';\n" },
    /^src\/lib\/x\.ts:2: /,
  ],
  'a dynamic import the table does not allow': [
    { 'src/lib/x.ts': "export const x = await import('../storage/memory.ts');\n" },
    /lib may import nothing of storage/,
  ],
  'an import of a tool': [
    { 'src/lib/x.ts': "import '../../tools/x.ts';\n", 'tools/x.ts': 'f();\n' },
    /neither in src nor/,
  ],
  'an import of a tool that only another row names': [
    {
      'ARCHITECTURE.md': ARCHITECTURE.replace('| `cli` | lib |', '| `cli` | lib, tools/x.ts |'),
      'src/cli/x.ts': "import '../../tools/x.ts';\n",
      'src/lib/x.ts': "import '../../tools/x.ts';\n",
      'tools/x.ts': 'f();\n',
    },
    /^src\/lib\/x\.ts:1: imports tools\/x\.ts, which is neither in src nor/,
  ],
  'an import of a test': [
    { 'src/lib/x.ts': "import './y.test.ts';\n", 'src/lib/y.test.ts': 'f();\n' },
    /imports the test src\/lib\/y\.test\.ts/,
  ],
  'an import of nothing': [{ 'src/lib/x.ts': "import './gone.ts';\n" }, /imports \.\/gone\.ts, which does not exist/],
  'a package of another row': [
    { 'src/lib/x.ts': "import fastify from 'fastify';\n" },
    /fastify may be imported only by api, not by lib/,
  ],
  'a package of a scope of another row': [{ 'src/lib/x.ts': "import x from '@fastify/static';\n" }, /only by api/],
  'an owned builtin': [
    { 'src/api/x.ts': "import { gzip } from 'node:zlib';\n" },
    /node:zlib may be imported only by repository/,
  ],
  'a package of no row': [{ 'src/api/x.ts': "import x from 'lodash';\n" }, /lodash is owned by no row/],
  'a folder without a row': [{ 'src/extra/x.ts': 'f();\n' }, /extra has no row/],
  'no table': [{ 'ARCHITECTURE.md': '# Nothing, but docs/format.md' }, /has no import table/],
  'a pure file that is not there': [
    { 'ARCHITECTURE.md': ARCHITECTURE.replace('src/lib/pure.ts', 'src/lib/gone.ts') },
    /lists src\/lib\/gone\.ts as pure/,
  ],
  'a pure file with I/O': [{ 'src/lib/pure.ts': "import fs from 'node:fs/promises';\n" }, /pure and imports node:fs/],
  'a pure file with I/O behind another': [
    { 'src/lib/pure.ts': "import './y.ts';\n", 'src/lib/y.ts': "import 'node:net';\n" },
    /pure and imports src\/lib\/y\.ts, which imports node:net/,
  ],
  'a pure file with the clock': [
    { 'src/lib/pure.ts': "import { now } from './clock.ts';\n" },
    /pure and imports src\/lib\/clock/,
  ],
  'a pure file with a timer': [{ 'src/lib/pure.ts': 'setTimeout(f, 1);\n' }, /pure and uses setTimeout/],
  'the wall clock': [{ 'src/api/x.ts': 'f();\nconst t = Date.now();\n' }, /^src\/api\/x\.ts:2: Date\.now: /],
  'the wall clock by another name': [{ 'tools/x.ts': 'const t = new Date();\n' }, /new Date\(\): /],
  chance: [{ 'src/api/x.ts': 'const t = Math.random();\n' }, /Math\.random: /],
  'random bytes': [{ 'src/api/x.ts': "import { randomBytes } from 'node:crypto';\n" }, /randomBytes: /],
  'a type that is no type': [{ 'src/api/x.ts': 'const t: any = 1;\n' }, /any switches/],
  'a cast to no type': [{ 'src/api/x.ts': 'f(x as any);\n' }, /any switches/],
  'a list of no type': [{ 'src/api/x.ts': 'const x: Map<string, any[]> = f();\n' }, /any switches/],
  'a hidden type error': [{ 'src/api/x.ts': `// @ts-${'ignore'}\nf();\n` }, /hides errors/],
  'an expected error without its reason': [{ 'src/api/x.ts': `// @ts-${'expect-error'}\nf();\n` }, /needs its reason/],
  'a rule switched off without reason': [
    { 'src/api/x.ts': `// biome-${'ignore'} lint/style/x: <explanation>\nf();\n` },
    /needs the rule, a colon and the reason/,
  ],
  'printing in the service': [{ 'src/api/x.ts': 'console.log(1);\n' }, /only the command and the tools print/],
  'an exit in the service': [{ 'src/api/x.ts': 'process.exit(1);\n' }, /process\.exitCode/],
  'unfinished work': [{ 'src/api/x.ts': UNFINISHED }, /unfinished/],
  'unfinished prose': [{ 'docs/format.md': UNFINISHED }, /unfinished/],
  'a path of a machine': [{ 'src/api/x.ts': MACHINE_PATH }, /a path of one machine/],
  'a single test': [{ 'src/api/x.test.ts': "test.only('x', f);\n" }, /leaves out the others/],
  'a name that says nothing': [{ 'src/api/utils.ts': 'f();\n' }, /"utils" says nothing/],
  'a folder that says nothing': [{ 'src/api/common/y.ts': 'f();\n' }, /"common" says nothing/],
  'an index': [{ 'src/api/index.ts': 'f();\n' }, /"index" says nothing/],
  'a folder in camel case': [{ 'src/api/wireShapes/x.ts': 'f();\n' }, /"wireShapes" is not kebab-case/],
  'a barrel': [
    { 'src/lib/all.ts': "// all\nexport { hash } from './pure.ts';\nexport * from './clock.ts';\n" },
    /only re-exports/,
  ],
  'an unknown kind of test': [{ 'src/api/x.slow.test.ts': 'f();\n' }, /"slow" is no kind of test/],
  'a plain test with a process': [
    { 'src/api/x.test.ts': "import { spawn } from 'node:child_process';\n" },
    /a plain \*\.test\.ts imports node:child_process/,
  ],
  'a plain test that writes files': [
    { 'src/api/x.test.ts': "import { readFileSync, mkdtempSync } from 'node:fs';\n" },
    /a plain \*\.test\.ts imports node:fs/,
  ],
  'a test not named one': [{ 'src/api/x.ts': "import { test } from 'node:test';\n" }, /not named \*\.test\.ts/],
  'a file too long': [{ 'src/api/x.ts': lines(401) }, /has 401 lines/],
  'a page that nothing links': [{ 'docs/lost.md': '# Lost' }, /^docs\/lost\.md:1: is linked neither/],
  'rooms of the engine in a circle': [
    {
      'src/engine/take/a.ts': "import type { B } from '../tail/b.ts';\nexport type A = B;\n",
      'src/engine/tail/b.ts': "import type { A } from '../take/a.ts';\nexport type B = { a?: A };\n",
    },
    /^src\/engine\/tail:1: rooms in a circle: .*take\/a\.ts/,
  ],
  'a crowded folder': [
    Object.fromEntries(
      Array.from({ length: 21 }, (_, n) => [`src/lib/crowd/number-${n}.ts`, `export const n = ${n};\n`]),
    ),
    /^src\/lib\/crowd:1: has 21 files/,
  ],
  'a wide comment': [{ 'src/lib/x.ts': `// ${'word '.repeat(30)}\n` }, /^src\/lib\/x\.ts:1: has 153 columns/],
  'a wide page': [{ 'docs/x.md': `[x](docs/x.md) ${'word '.repeat(30)}\n` }, /^docs\/x\.md:1: has \d+ columns/],
  'a page that names what is gone': [
    { 'docs/format.md': 'See\n`src/lib/gone.ts`.' },
    /^docs\/format\.md:2: names src\/lib\/gone\.ts/,
  ],
};

for (const [what, [extra, expected]] of Object.entries(REFUSED)) {
  test(`refuses ${what}`, () => {
    const problems = problemsWith(extra);
    assert.ok(
      problems.some((problem) => expected.test(problem)),
      `expected ${expected} among ${JSON.stringify(problems)}`,
    );
  });
}

const ALLOWED: Record<string, Record<string, string>> = {
  'what the rows name': {
    'src/api/x.ts':
      "import type { T } from '@fastify/static';\nimport fastify from 'fastify';\nimport { c } from '../../contract/c.ts';\n",
    'contract/c.ts': "import { Type } from '@sinclair/typebox';\nexport const c = Type;\n",
    'src/repository/x.ts':
      "import { crc32 } from 'node:zlib';\nimport type { ObjectStore } from '../storage/object-store.ts';\n",
  },
  'free builtins': {
    'src/storage/directory.ts': "import { open } from 'node:fs/promises';\nimport net from 'node:net';\n",
  },
  'a test that sets up what it needs': {
    'src/lib/x.store.test.ts':
      "import { MemoryStore } from '../storage/memory.ts';\nimport fc from 'fast-check';\nimport 'node:fs';\n",
  },
  'banned words in comments and strings': {
    'src/api/x.ts': fixture(
      "// Date.now() is banned, as any console.log is\nexport const s = 'Math.random()' + `any: §{f(`Date.now()`)}`;\n",
    ),
  },
  'printing in the command': { 'src/cli/x.ts': 'console.log(1);\n' },
  'a time that is passed in': { 'src/api/x.ts': 'const t = new Date(nowMs);\nconst any_ = company.many;\n' },
  'reasons given': {
    'src/api/x.ts': `// @ts-${'expect-error'}: the driver's types leave raw out\nf();\n// biome-${'ignore'} lint/style/x: the driver wants it so\ng();\n`,
  },
  'a file with re-exports and something of its own': {
    'src/lib/x.ts': "export { hash } from './pure.ts';\nexport const own = 1;\n",
  },
  'a plain test that reads what is checked in': {
    'src/api/x.test.ts': "import { readFileSync } from 'node:fs';\n",
  },
  'a long test': { 'src/api/x.test.ts': `describe('x', () => {\n${lines(150)}});\n` },
};

for (const [what, extra] of Object.entries(ALLOWED)) {
  test(`allows ${what}`, () => {
    assert.deepEqual(problemsWith(extra), []);
  });
}

test('masks comments, strings, templates and patterns, and nothing else', () => {
  const masked = (text: string) => maskSource(fixture(text)).replaceAll(/ +/g, ' ');
  assert.equal(masked("a('x // y'); // z"), "a(' '); ");
  assert.equal(masked('a /* b */ + c'), 'a + c');
  assert.equal(masked('`a §{b({c: `d §{e} f`})} g`;h'), fixture('` §{b({c: ` §{e} `})} `;h'));
  assert.equal(masked("x = /[/'\"]+/g; y = '//';"), "x = / /g; y = ' ';");
  assert.equal(masked("x = a / b; y = 'c'; z = (d) / e;"), "x = a / b; y = ' '; z = (d) / e;");
  assert.equal(masked("return /'/.test(a) ? 'b' : c"), "return / /.test(a) ? ' ' : c");
  assert.equal(masked("'it\\'s' + x"), "' ' + x");
});

test('keeps lines and offsets', () => {
  const text = fixture('/* a\n b */ f(`c\n§{d}\ne`);\n');
  const masked = maskSource(text);
  assert.equal(masked.length, text.length);
  assert.equal(masked.split('\n').length, text.split('\n').length);
  assert.equal(masked.indexOf('f('), text.indexOf('f('));
});

test('finds imports in every form', () => {
  const text = [
    "import a from './a.ts';",
    "import type { B } from './b.ts';",
    'import {\n  type C,\n  c,\n} from "./c.ts";',
    "import * as d from 'node:d';",
    "import './e.ts';",
    "export * from './f.ts';",
    "export type { G } from './g.ts';",
    "const h = await import('../h.ts');",
    "export const from = 'not/an/import';",
    "// import x from './comment.ts';",
    "const text = `import x from './template.ts'`;",
  ].join('\n');
  const found = importsOf(sourceFile('src/x/y.ts', text));
  assert.deepEqual(
    found.map(({ specifier, target, typeOnly }) => [specifier, target, typeOnly]),
    [
      ['./a.ts', 'src/x/a.ts', false],
      ['./b.ts', 'src/x/b.ts', true],
      ['./c.ts', 'src/x/c.ts', false],
      ['node:d', null, false],
      ['./e.ts', 'src/x/e.ts', false],
      ['./f.ts', 'src/x/f.ts', false],
      ['./g.ts', 'src/x/g.ts', true],
      ['../h.ts', 'src/h.ts', false],
    ],
  );
});

test('this tree is tidy', () => {
  assert.deepEqual(findProblems(readTree()).map(renderProblem), []);
});
