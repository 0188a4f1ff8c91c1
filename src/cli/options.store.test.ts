import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readPassphrase, wholeNumber } from './options.ts';
import { UsageError } from './usage-error.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-options-'));
});
after(async () => {
  await rm(directory, { recursive: true });
});

test('the passphrase is the first line of the file, spaces and all, before the environment', async () => {
  const file = join(directory, 'passphrase');
  await writeFile(file, ' correct horse \r\nsecond line\n', { mode: 0o600 });
  const env = { TIDEMARK_PASSPHRASE: 'from the environment' };
  assert.equal(await readPassphrase({ passphraseFile: file }, env), ' correct horse ');
  assert.equal(await readPassphrase({}, env), 'from the environment');
  assert.equal(await readPassphrase({}, {}), undefined);
});

test('an empty passphrase is a mistake, not a choice', async () => {
  const file = join(directory, 'empty');
  await writeFile(file, '\n', { mode: 0o600 });
  await assert.rejects(readPassphrase({ passphraseFile: file }, {}), UsageError);
  await assert.rejects(readPassphrase({}, { TIDEMARK_PASSPHRASE: '' }), UsageError);
  await assert.rejects(readPassphrase({ passphraseFile: join(directory, 'none') }, {}), /cannot be read/);
});

test('numbers are whole, in digits and not below their least', () => {
  assert.equal(wholeNumber(1)('30'), 30);
  for (const text of ['0', '-1', '1.5', '1e3', '', 'x']) assert.throws(() => wholeNumber(1)(text), /whole number/);
});
