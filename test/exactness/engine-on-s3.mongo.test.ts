import { describe, test } from 'node:test';
import { whyNoServer } from '../support/object-servers.ts';

/**
 * A part of the engine's tests with their repositories on a real S3 server; `npm test -- --store s3` has all of them
 * there. One after another: each starts servers of its own.
 */
const skip = await whyNoServer('versitygw');
if (skip === false) {
  process.env.TIDEMARK_TEST_STORE = 's3';
  describe('taking snapshots to S3', async () =>
    void (await import('../../src/engine/take/take-snapshot.mongo.test.ts')));
  describe('a damaged parent on S3', async () =>
    void (await import('../../src/engine/take/damaged-parent.mongo.test.ts')));
  describe('slices on S3', async () => void (await import('../../src/engine/history/read-history.mongo.test.ts')));
  describe('archives from S3', async () => void (await import('../../src/engine/archive/archive-point.mongo.test.ts')));
} else {
  test('the engine on S3', { skip }, () => undefined);
}
