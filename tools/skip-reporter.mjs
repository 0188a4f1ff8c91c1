/**
 * For `tools/test.ts`: one JSON line for each test that was skipped, and at the end one with the counts and what each
 * file took.
 */
export default async function* skipReporter(source) {
  const tookMs = {};
  for await (const { type, data } of source) {
    if (type === 'test:summary' && data.file === undefined) yield line({ counts: data.counts, tookMs });
    const isWhole = data.nesting === 0 && (type === 'test:pass' || type === 'test:fail');
    if (isWhole) tookMs[data.file] = (tookMs[data.file] ?? 0) + data.details.duration_ms;
    const skipped = type === 'test:pass' && data.skip !== undefined && data.details?.type !== 'suite';
    if (skipped) yield line({ file: data.file, name: data.name, why: data.skip === true ? '' : data.skip });
  }
}

function line(record) {
  return `${JSON.stringify(record)}\n`;
}
