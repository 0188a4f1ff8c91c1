import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOfHtml } from './mongod-wheel.ts';

test('the links of an index page give file names, addresses and hashes', () => {
  const sha256 = 'ab'.repeat(32);
  const html = `<!DOCTYPE html><html><body><h1>Links</h1>
    <a href="../../packages/one-1.0_x86_64.whl#sha256=${sha256}" data-requires-python="&gt;=3.7">one-1.0_x86_64.whl</a><br/>
    <a data-yanked="" href="https://index.example/one-0.9.whl?a=1&amp;b=2#md5=00"> one-0.9.whl </a>
    <a name="top">no link</a></body></html>`;
  assert.deepEqual(filesOfHtml(html), [
    {
      filename: 'one-1.0_x86_64.whl',
      url: '../../packages/one-1.0_x86_64.whl',
      hashes: { sha256 },
      yanked: false,
    },
    { filename: 'one-0.9.whl', url: 'https://index.example/one-0.9.whl?a=1&b=2', hashes: {}, yanked: true },
  ]);
});
