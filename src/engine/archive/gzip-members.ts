import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { assert } from '../../lib/assert.ts';

const compress = promisify(gzip);

/** Bytes that one member holds, but for the last. */
export const MEMBER_BYTES = 4 * 1024 * 1024;
/**
 * Compressed side by side; more would take memory and no less time, as Node has four threads for such work and others
 * want some.
 */
const MEMBERS_AT_ONCE = 3;
/** By measurement (`docs/performance.md`): level 6 takes three times as long for a ninth less. */
export const GZIP_LEVEL = 1;

/**
 * A gzip file of several members, each by itself the compressed form of the next MEMBER_BYTES of what is read:
 * decompressors read them as one (RFC 1952, section 2.2). So they are made in parallel, off the main thread, and the
 * bytes do not depend on how the source was cut into pieces. Reads ahead no further than the members under way.
 */
export async function* gzipMembers(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const underWay: Promise<Buffer>[] = [];
  try {
    for await (const member of cutMembers(source)) {
      const work = compress(member, { level: GZIP_LEVEL });
      work.catch(() => undefined); // it is thrown when its turn comes
      underWay.push(work);
      if (underWay.length >= MEMBERS_AT_ONCE) yield await (underWay.shift() as Promise<Buffer>);
      assert(underWay.length < MEMBERS_AT_ONCE, 'no more is under way than is said');
    }
    while (underWay.length > 0) yield await (underWay.shift() as Promise<Buffer>);
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** Runs of MEMBER_BYTES whatever the pieces were, and what is left. */
async function* cutMembers(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + MEMBER_BYTES - bytes);
      held.push(part);
      bytes += part.length;
      at += part.length;
      if (bytes < MEMBER_BYTES) continue;
      yield held.length === 1 ? part : Buffer.concat(held);
      held = [];
      bytes = 0;
    }
  }
  assert(bytes < MEMBER_BYTES, 'a whole member was given');
  if (bytes > 0) yield Buffer.concat(held);
}
