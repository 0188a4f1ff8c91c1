import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Fault } from '../lib/errors.ts';
import { readStoreRules, ruleFor } from './store-rules.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-rules-'));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function fileOf(content: unknown): Promise<string> {
  const path = join(directory, 'stores.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
  return path;
}

test('the first rule that matches counts, and secrets come from where it says', async () => {
  const secret = join(directory, 'secret');
  await writeFile(secret, 'of the file\n', { mode: 0o600 });
  const endpoint = 'https://minio.example';
  const path = await fileOf({
    objectStores: [
      { provider: 'AWS', role: 'arn:aws:iam::1:role/x', region: 'us-west-2' },
      {
        provider: 'AWS',
        bucket: 'exports-*',
        endpoint,
        pathStyle: true,
        accessKeyId: 'id',
        secretAccessKey: { file: secret },
      },
      { provider: 'AZURE', account: 'acme', accountKey: { env: 'ACME_KEY' } },
      { provider: 'GCP', anonymous: true },
    ],
  });
  const rules = await readStoreRules(path, { ACME_KEY: 'of the environment' });
  const aws = ruleFor(rules, { provider: 'AWS', bucket: 'exports-2026' });
  assert.deepEqual([aws?.endpoint, aws?.pathStyle, aws?.secretAccessKey], [endpoint, true, 'of the file']);
  const ofRole = { provider: 'AWS', bucket: 'exports-2026', roles: ['arn:aws:iam::1:role/x'] } as const;
  assert.equal(ruleFor(rules, ofRole)?.region, 'us-west-2');
  assert.equal(ruleFor(rules, { provider: 'AWS', bucket: 'my-exports-1' }), undefined);
  assert.equal(ruleFor(rules, { provider: 'AZURE', account: 'acme', bucket: 'any' })?.accountKey, 'of the environment');
  assert.equal(ruleFor(rules, { provider: 'AZURE', account: 'acme2', bucket: 'any' }), undefined);
  assert.equal(ruleFor(rules, { provider: 'GCP', bucket: 'any' })?.anonymous, true);
});

test('a file that cannot be used is refused with the rule and the field, and no secret', async () => {
  const wrong: [unknown, RegExp][] = [
    ['{"objectStores": [hidden', /not JSON/],
    [{ stores: [] }, /no list "objectStores"/],
    [{ objectStores: ['x'] }, /rule 1/],
    [{ objectStores: [{ provider: 'MINIO' }] }, /rule 1.*"provider"/],
    [{ objectStores: [{ provider: 'GCP' }, { provider: 'GCP', accountKey: 'hidden' }] }, /rule 2.*"accountKey"/],
    [{ objectStores: [{ provider: 'AWS', pathStyle: 'yes' }] }, /"pathStyle"/],
    [{ objectStores: [{ provider: 'AWS', secretAccessKey: 'hidden' }] }, /accessKeyId, secretAccessKey go together/],
    [{ objectStores: [{ provider: 'AZURE', accountKey: { env: 'NOT_SET' } }] }, /NOT_SET is not set/],
    [{ objectStores: [{ provider: 'AZURE', accountKey: { file: '/nonexistent/x' } }] }, /ENOENT/],
    [{ objectStores: [{ provider: 'AZURE', accountKey: 7 }] }, /it is a string/],
  ];
  for (const [content, expected] of wrong) {
    const path = await fileOf(content);
    await assert.rejects(readStoreRules(path, {}), (error) => {
      assert.ok(error instanceof Fault);
      assert.match(error.message, expected);
      return !error.message.includes('hidden');
    });
  }
  await assert.rejects(readStoreRules(join(directory, 'nowhere'), {}), /cannot be read/);
});
