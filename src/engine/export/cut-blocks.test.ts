import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import { type Block, cutBlocks } from './cut-blocks.ts';

async function* each(buffers: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* buffers;
}

async function cut(buffers: readonly Buffer[], limits: { blockBytes: number; fileBytes: number }): Promise<Block[]> {
  const blocks: Block[] = [];
  for await (const block of cutBlocks(each(buffers), limits)) blocks.push(block);
  return blocks;
}

test('files depend on the documents alone, not on the buffers that they came in', async () => {
  const limits = { blockBytes: 200, fileBytes: 500 };
  const sizes = fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(sizes, async (shape) => {
      const documents = shape.map(([size], n) => documentWith(int32Id(n), Buffer.alloc(size, n)));
      const buffers: Buffer[][] = [[]];
      for (const [n, [, newBuffer]] of shape.entries()) {
        if (newBuffer) buffers.push([]);
        buffers.at(-1)?.push(documents[n] as Buffer);
      }
      const blocks = await cut(
        buffers.map((some) => Buffer.concat(some)),
        limits,
      );
      const alone = await cut(documents, limits);
      assert.deepEqual(blocks, alone);
      assert.deepEqual(Buffer.concat(blocks.map((block) => block.documents)), Buffer.concat(documents));
      assert.equal(
        blocks.reduce((sum, block) => sum + block.count, 0),
        documents.length,
      );
      for (const [index, block] of blocks.entries()) {
        const last = index === blocks.length - 1;
        assert.ok(last || block.documents.length >= limits.blockBytes);
        assert.equal(block.bytes, block.documents.length);
        const before = blocks.slice(0, index).filter(({ file }) => file === block.file);
        assert.ok(before.reduce((sum, { bytes }) => sum + bytes, 0) < limits.fileBytes);
      }
      assert.deepEqual(
        [...new Set(blocks.map(({ file }) => file))],
        [...new Set(blocks.map(({ file }) => file)).keys()],
      );
    }),
  );
});
