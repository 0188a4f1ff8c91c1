import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { withReplicaSet } from '../../test/support/replica-set.ts';
import { readProcessSettings } from './process-settings.ts';

test('settings are those that the servers have now', async () => {
  await withReplicaSet({}, async ({ uri }) => {
    const client = new MongoClient(uri);
    try {
      const before = await readProcessSettings(uri);
      assert.equal(before.noTableScan, false);
      assert.ok((before.oplogSizeMB ?? 0) > 0);
      const admin = client.db('admin');
      await admin.command({ setParameter: 1, notablescan: true, transactionLifetimeLimitSeconds: 33 });
      await admin.command({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 1 } });
      const after = await readProcessSettings(uri);
      assert.deepEqual(
        [after.noTableScan, after.transactionLifetimeLimitSeconds, after.defaultWriteConcern, after.javascriptEnabled],
        [true, 33, '1', true],
      );
    } finally {
      await client.close();
    }
  });
});
