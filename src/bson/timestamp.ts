/**
 * A MongoDB timestamp (seconds, then an ordinal within the second) as one unsigned 64-bit number, which is how the
 * server orders and stores it: bytes 0-3 the ordinal, 4-7 the seconds, little-endian.
 */
export type Timestamp64 = bigint;

export function timestampOf(time: { t: number; i: number }): Timestamp64 {
  return (BigInt(time.t) << 32n) | BigInt(time.i);
}

export function timestampParts(ts: Timestamp64): { t: number; i: number } {
  return { t: Number(ts >> 32n), i: Number(ts & 0xffffffffn) };
}

export function formatTimestamp(ts: Timestamp64): string {
  const { t, i } = timestampParts(ts);
  return `${new Date(t * 1000).toISOString().slice(0, 19)}Z.${i}`;
}

/** An oplog position: the time, and the election term that guards against a rewritten history. */
export interface Optime {
  ts: Timestamp64;
  term: bigint;
}
