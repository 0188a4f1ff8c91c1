import { relative } from 'node:path';

/** What the reporter beside this writes, a line each. */
type Reported = { file: string; name: string; why: string } | { counts: Counts; tookMs?: Record<string, number> };

export interface Counts {
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

export interface Report {
  counts: Counts;
  skipped: { file: string; name: string; why: string }[];
  /** Milliseconds, by file. */
  tookMs: Readonly<Record<string, number>>;
}

/** Of the text that the reporter wrote; null where it did not come to its end. */
export function readReport(text: string, root: string): Report | null {
  const skipped: Report['skipped'] = [];
  let counts: Counts | null = null;
  let took: [string, number][] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const reported = JSON.parse(line) as Reported;
    if ('counts' in reported) {
      counts = reported.counts;
      took = Object.entries(reported.tookMs ?? {});
    } else skipped.push({ ...reported, file: relative(root, reported.file) });
  }
  const tookMs = Object.fromEntries(took.map(([file, ms]) => [relative(root, file), ms]));
  return counts === null ? null : { counts, skipped, tookMs };
}

/**
 * What was not tried and why, one row for each reason, and the plain line of counts that is read by machines. Nothing
 * is skipped in silence: a test without a reason says so.
 */
export function renderReport({ counts, skipped }: Pick<Report, 'counts' | 'skipped'>): string[] {
  const byReason = Map.groupBy(skipped, ({ why }) => (why === '' ? 'no reason was given' : why));
  const rows = [...byReason].map(([why, tests]) => {
    const files = [...new Set(tests.map(({ file }) => file))];
    const shown = files.length > 3 ? `${files.slice(0, 3).join(', ')} and ${files.length - 3} more` : files.join(', ');
    return `  ${String(tests.length).padStart(4)}  ${shown}\n        ${why}`;
  });
  const { passed, failed, cancelled } = counts;
  return [
    skipped.length === 0 ? 'Nothing was skipped.' : 'Skipped tests, by reason:',
    ...rows,
    '',
    `${passed} passed, ${failed + cancelled} failed, ${counts.skipped} skipped`,
  ];
}

/** The same suites on one server; `report` is null where it cannot be had, and `why` says why. */
export interface ServerRun {
  version: string;
  suites: number;
  report: Report | null;
  why: string;
}

/** One report of several runs. */
export function together(reports: readonly Report[]): Report {
  const counts: Counts = { passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  for (const report of reports)
    for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += report.counts[name];
  const tookMs = Object.assign({}, ...reports.map((report) => report.tookMs)) as Report['tookMs'];
  return { counts, skipped: reports.flatMap(({ skipped }) => skipped), tookMs };
}

/** A table of servers: what passed, failed and was skipped on each, and which could not be had. */
export function renderServers(runs: readonly ServerRun[]): string[] {
  const rows = runs.map(({ version, suites, report, why }) => {
    const head = `  ${version.padEnd(8)} ${String(suites).padStart(6)}`;
    if (report === null) return `${head}  not to be had here: ${why}`;
    const { passed, failed, cancelled, skipped } = report.counts;
    return head + [passed, failed + cancelled, skipped].map((count) => String(count).padStart(8)).join('');
  });
  return ['Servers:', `  ${'version'.padEnd(8)} ${'suites'.padStart(6)}  passed  failed skipped`, ...rows];
}
