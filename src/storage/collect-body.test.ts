import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectBody } from './collect-body.ts';
import { TruncatedAnswer } from './remote-calls.ts';

async function* parts(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size, size);
}

test('a body is of the announced length, or none', async () => {
  let progress = 0;
  const body = await collectBody(parts(3, 0, 2), 5, () => progress++);
  assert.deepEqual([...body], [3, 3, 3, 2, 2]);
  assert.equal(progress, 3);
  for (const sizeBytes of [4, 6])
    await assert.rejects(
      collectBody(parts(3, 2), sizeBytes, () => undefined),
      TruncatedAnswer,
    );
  assert.equal((await collectBody(parts(), 0, () => undefined)).length, 0);
});
