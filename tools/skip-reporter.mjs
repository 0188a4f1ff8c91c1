/** For `tools/test.ts`: one JSON line for each test that was skipped, and one with the counts at the end. */
export default async function* skipReporter(source) {
  for await (const { type, data } of source) {
    if (type === 'test:summary' && data.file === undefined) yield line({ counts: data.counts });
    const skipped = type === 'test:pass' && data.skip !== undefined && data.details?.type !== 'suite';
    if (skipped) yield line({ file: data.file, name: data.name, why: data.skip === true ? '' : data.skip });
  }
}

function line(record) {
  return `${JSON.stringify(record)}\n`;
}
