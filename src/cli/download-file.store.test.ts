import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DownloadFile } from './download-file.ts';

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-download-'));
  try {
    await work(join(directory, 'file'));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function write(path: string, pieces: readonly string[], resume = false): Promise<void> {
  const file = await DownloadFile.open(path, { resume });
  try {
    for (const piece of pieces) await file.write(Buffer.from(piece));
    await file.complete();
  } finally {
    await file.close();
  }
}

test('a file has its name only once it is whole, and what broke off is gone on with', async () => {
  await inDirectory(async (path) => {
    const broken = await DownloadFile.open(path, { resume: false });
    await broken.write(Buffer.from('abcdef'));
    await broken.close();
    assert.deepEqual(await readdir(join(path, '..')), ['file.part']);
    await assert.rejects(write(path, ['abc']), /--resume/);
    await write(path, ['abcd', 'efgh', 'ij'], true);
    assert.equal(await readFile(path, 'utf8'), 'abcdefghij');
    assert.deepEqual(await readdir(join(path, '..')), ['file']);
    await assert.rejects(write(path, ['x'], true), /is there already/);
  });
});

test('what failed before its first byte leaves nothing that is in the way', async () => {
  await inDirectory(async (path) => {
    const broken = await DownloadFile.open(path, { resume: false });
    await broken.close();
    assert.deepEqual(await readdir(join(path, '..')), []);
    await write(path, ['abc']);
    assert.equal(await readFile(path, 'utf8'), 'abc');
  });
});

test('the beginning of another file is not gone on with, nor one that is longer', async () => {
  await inDirectory(async (path) => {
    await writeFile(`${path}.part`, 'abXdef');
    await assert.rejects(write(path, ['abcdefgh'], true), /is not the beginning of this download/);
    await assert.rejects(write(path, ['abXd'], true), /is not the beginning of this download/);
    await write(path, ['abXdef'], true);
    assert.equal(await readFile(path, 'utf8'), 'abXdef');
  });
});
