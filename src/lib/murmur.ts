/**
 * MurmurHash3, x86, 32 bit, of bytes `start`..`end` preceded by the byte `first`. Not for anything an adversary may
 * choose collisions in.
 */
export function murmur3(buffer: Uint8Array, first: number, start: number, end: number, seed: number): number {
  let h = seed | 0;
  const length = end - start + 1;
  const blocks = length >> 2;
  let at = start;
  let k = 0;
  for (let block = 0; block < blocks; block++) {
    if (block === 0) {
      k =
        first | ((buffer[at] as number) << 8) | ((buffer[at + 1] as number) << 16) | ((buffer[at + 2] as number) << 24);
      at += 3;
    } else {
      k =
        (buffer[at] as number) |
        ((buffer[at + 1] as number) << 8) |
        ((buffer[at + 2] as number) << 16) |
        ((buffer[at + 3] as number) << 24);
      at += 4;
    }
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  const rest = length & 3;
  if (rest > 0) {
    k = 0;
    for (let i = rest - 1; i >= 0; i--) {
      const byte = blocks === 0 ? (i === 0 ? first : (buffer[at + i - 1] as number)) : (buffer[at + i] as number);
      k = (k << 8) | byte;
    }
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
  }
  h ^= length;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
