import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark } from '../support/served-tidemark.ts';

/**
 * A client of the Atlas API that nobody here wrote and that checks what it is answered: `pyatlassdk` (PyPI), generated
 * from Atlas's own description of the API. It runs where a Python has it: `$PYATLASSDK_PYTHON`, else `python3`.
 */
const SCRIPT = fileURLToPath(new URL('python-sdk.py', import.meta.url));
const LIMIT_MS = 180_000;
const python = process.env.PYATLASSDK_PYTHON ?? 'python3';

interface Ended {
  code: number | null;
  output: string;
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return await new Promise((resolve) => {
    const child = execFile(
      python,
      [...args],
      { env: { ...process.env, ...env }, timeout: LIMIT_MS },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

const there = (await run(['-c', 'import pyatlassdk'])).code === 0;
const skip = there
  ? false
  : `no pyatlassdk: python3 -m venv V && V/bin/pip install pyatlassdk==0.1.0, then PYATLASSDK_PYTHON=V/bin/python`;

for (const scheme of ['digest', 'OAuth'] as const) {
  test(`pyatlassdk goes through snapshots, schedules, restores, policies and callers by ${scheme}`, {
    skip,
  }, async () => {
    await withReplicaSet({}, async (set) => {
      const orders = set.client.db('shop').collection('orders');
      await orders.insertMany([{ n: 1 }, { n: 2 }]);
      const tidemark = await ServedTidemark.create();
      try {
        await tidemark.addCluster('Shop', set.uri);
        const { orgId, projectId, apiKey, serviceAccount } = tidemark.credentials;
        const { code, output } = await run([SCRIPT], {
          BASE: tidemark.client.url,
          ORG_ID: orgId,
          PROJECT_ID: projectId,
          CLUSTER: 'Shop',
          ...(scheme === 'digest'
            ? { PUBLIC_KEY: apiKey.publicKey, PRIVATE_KEY: apiKey.privateKey }
            : { CLIENT_ID: serviceAccount.clientId, CLIENT_SECRET: serviceAccount.clientSecret }),
        });
        assert.equal(code, 0, output);
        assert.equal(await orders.countDocuments(), 2);
      } finally {
        await tidemark.remove();
      }
    });
  });
}
