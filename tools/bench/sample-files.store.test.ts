import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { documentOf, forEachDocument } from '../../src/bson/raw-bson.ts';
import { readSampleFile, writeSampleFiles } from './sample-files.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-samples-'));
});
after(async () => {
  await rm(directory, { recursive: true });
});

test('what is written is read back in whole documents', async () => {
  const files = await writeSampleFiles(directory, 12e6, 1);
  assert.ok(files.reduce((sum, file) => sum + file.bytes, 0) >= 12e6);
  for (const file of files) {
    let documents = 0;
    let bytes = 0;
    for await (const buffer of readSampleFile(file.path)) {
      documents += forEachDocument(buffer, () => {});
      bytes += buffer.length;
    }
    assert.deepEqual({ documents, bytes }, { documents: file.documents, bytes: file.bytes });
  }
});

test('documents larger than a read come whole', async () => {
  const path = join(directory, 'large.bson');
  const value = Buffer.concat([Buffer.from([0, 0, 160, 0, 0]), Buffer.alloc(160 * 65_536)]);
  const document = documentOf([{ name: 'a', type: 0x05, value }]);
  await writeFile(path, Buffer.concat([document, document]));
  let documents = 0;
  for await (const buffer of readSampleFile(path)) documents += forEachDocument(buffer, () => {});
  assert.equal(documents, 2);
});

test('a file that ends inside a document is an error, not a smaller floor', async () => {
  const path = join(directory, 'cut.bson');
  const document = documentOf([{ name: 'a', type: 0x10, value: Buffer.alloc(4) }]);
  await writeFile(path, Buffer.concat([document, document]));
  await truncate(path, document.length + 3);
  await assert.rejects(async () => {
    for await (const _ of readSampleFile(path));
  }, /ends inside a document/);
});
