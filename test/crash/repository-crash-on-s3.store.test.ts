import { test } from 'node:test';
import { whyNoServer } from '../support/object-servers.ts';

/** The same, against a real S3 server, for a few histories. */
const skip = await whyNoServer('versitygw');
if (skip === false) {
  process.env.TIDEMARK_TEST_STORE = 's3';
  process.env.RUNS ??= '3';
  await import('./repository-crash.test.ts');
} else {
  test('a repository on S3 after a crash', { skip }, () => undefined);
}
