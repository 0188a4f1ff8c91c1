import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { raw } from '../../../test/exactness/raw-values.ts';
import { Damage } from '../../lib/errors.ts';
import { TranscoderPool } from './transcoder-pool.ts';

const never = { signal: new AbortController().signal, compress: true };

function block(n: number, documents = 50): Buffer<ArrayBuffer> {
  const bytes = Buffer.concat(Array.from({ length: documents }, (_, index) => raw({ _id: n, index })));
  const own = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(own);
  return own;
}

test('threads transcode blocks, each to its own answer, and a bad one hurts nobody else', async () => {
  const pool = new TranscoderPool({ threads: 2 });
  try {
    const good = Array.from({ length: 8 }, async (_, n) =>
      gunzipSync((await pool.transcode(block(n), never)).member).toString(),
    );
    const bad = Buffer.from(new ArrayBuffer(20));
    await assert.rejects(pool.transcode(bad, never), Damage);
    for (const [n, text] of (await Promise.all(good)).entries()) {
      const lines = text.split('\n');
      assert.equal(lines.length, 51);
      assert.equal(lines[49], `{"_id":{"$numberInt":"${n}"},"index":{"$numberInt":"49"}}`);
    }
  } finally {
    await pool.close();
  }
});

const given = ({ signal }: AbortController) => ({ signal, compress: true });

test('a block that is given up ends at once, and the pool goes on', async () => {
  const pool = new TranscoderPool({ threads: 1 });
  try {
    const stop = new AbortController();
    const under = [pool.transcode(block(1, 200_000), given(stop)), pool.transcode(block(2), given(stop))];
    const ended = under.map(async (one) => await assert.rejects(one, /enough/));
    stop.abort(new Error('enough'));
    await Promise.all(ended);
    assert.ok((await pool.transcode(block(3), never)).member.length > 0);
  } finally {
    await pool.close();
  }
});

test('a pool that is closed ends what is under way', async () => {
  const pool = new TranscoderPool({ threads: 1 });
  const ended = assert.rejects(pool.transcode(block(1, 200_000), never), /ended/);
  // The block has to be with its thread: it is once another has to wait.
  await Promise.resolve();
  await pool.close();
  await ended;
});
