import { isCode, isTest, type Problem, problemAt, type SourceFile } from './source-file.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly message: string;
  /** Where the pattern looks: `code` leaves comments and strings out. */
  readonly within: 'code' | 'text';
  readonly applies: (path: string) => boolean;
}

const SOURCES_OF_CHANCE = new Set(['src/lib/clock.ts', 'src/lib/random.ts', 'src/lib/ids.ts']);
const inProduct = (path: string): boolean => /^(src|contract)\//.test(path) && !isTest(path);

const BANS: readonly Ban[] = [
  {
    pattern:
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\b(?:randomBytes|randomUUID|randomInt|getRandomValues)\b/g,
    message: 'takes time or chance past lib/clock.ts, lib/random.ts and lib/ids.ts: have it passed in',
    within: 'code',
    applies: (path) => isCode(path) && !SOURCES_OF_CHANCE.has(path),
  },
  {
    pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/g,
    message: 'reads a clock past lib/clock.ts: have it passed in',
    within: 'code',
    applies: (path) => inProduct(path) && !SOURCES_OF_CHANCE.has(path),
  },
  {
    pattern: /(?:[:<|&,(]\s*|\bas\s+|=\s+)any\b(?!\s*[(:])/g,
    message: 'any switches the types off: say what it is, or unknown',
    within: 'code',
    applies: isCode,
  },
  {
    pattern: /@ts-(?:ignore|nocheck)\b/g,
    message: 'hides errors that are not known yet: expect the error, with the reason',
    within: 'text',
    applies: isCode,
  },
  {
    pattern: /@ts-expect(?:-error)(?!:? +\S.{8})/g,
    message: 'needs its reason on the same line',
    within: 'text',
    applies: isCode,
  },
  {
    pattern: /biome(?:-ignore)(?![\w-]* [\w/]+: (?!<)\S.{8})/g,
    message: 'needs the rule, a colon and the reason',
    within: 'text',
    applies: isCode,
  },
  {
    pattern: /(?<![\w$.])console\.\w+/g,
    message: 'only the command and the tools print; the service has a logger',
    within: 'code',
    applies: (path) => inProduct(path) && !path.startsWith('src/cli/'),
  },
  {
    pattern: /\bprocess\.exit\b/g,
    message: 'ends the process behind the back of whoever is cleaning up: set process.exitCode',
    within: 'code',
    applies: inProduct,
  },
  {
    pattern: /\bTO(?:DO)\b|\bFIX(?:ME)\b|\bX(?:XX)\b/g,
    message: 'unfinished: finish it, or file an issue',
    within: 'text',
    applies: (path) => isCode(path) || path.endsWith('.md'),
  },
  {
    pattern: /(?<![\w./~-])\/(?:work|root|home)\//g,
    message: 'a path of one machine',
    within: 'text',
    applies: (path) => isCode(path) || path.endsWith('.md') || path.endsWith('.json') || path.startsWith('.ci/'),
  },
  {
    pattern: /\b(?:test|it|describe|suite)\.only\(|\bonly:\s*true/g,
    message: 'runs one test and leaves out the others',
    within: 'code',
    applies: isTest,
  },
];

export function checkBanned(files: readonly SourceFile[]): Problem[] {
  return files.flatMap((file) =>
    BANS.filter((ban) => ban.applies(file.path)).flatMap((ban) =>
      [...(ban.within === 'code' ? file.code : file.text).matchAll(ban.pattern)].map((match) =>
        problemAt(file, match.index, `${match[0].trim()}: ${ban.message}`),
      ),
    ),
  );
}
