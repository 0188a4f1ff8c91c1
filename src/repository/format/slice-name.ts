import type { Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';

/** Which entries a slice holds, as its object's name says: timestamps of its first and last one. */
export interface SliceSpan {
  first: Timestamp64;
  last: Timestamp64;
}

const SLICE = /^([0-9a-f]{16})-([0-9a-f]{16})$/;
const GAP = /^gap-([0-9a-f]{16})$/;

export function sliceName({ first, last }: SliceSpan): string {
  assert(first <= last, 'a slice ends where it begins or later');
  return `${hex(first)}-${hex(last)}`;
}

export function parseSliceName(name: string): SliceSpan | null {
  const match = SLICE.exec(name);
  if (match === null) return null;
  const [first, last] = [BigInt(`0x${match[1]}`), BigInt(`0x${match[2]}`)];
  return first <= last ? { first, last } : null;
}

export function gapName(from: Timestamp64): string {
  return `gap-${hex(from)}`;
}

export function parseGapName(name: string): Timestamp64 | null {
  const match = GAP.exec(name);
  return match === null ? null : BigInt(`0x${match[1]}`);
}

function hex(ts: Timestamp64): string {
  return ts.toString(16).padStart(16, '0');
}

/** A run of slices without a gap. */
export interface SliceRun extends SliceSpan {
  slices: SliceSpan[];
}

/**
 * The runs that a listing shows, oldest first. A slice belongs to the run that ends with the entry it begins with. Of
 * slices that begin alike (a worker that lost its lease may have written one more) the longest counts, and one that
 * begins inside a run and ends inside it adds nothing.
 */
export function runsOf(slices: readonly SliceSpan[]): SliceRun[] {
  const sorted = slices.toSorted((a, b) => order(a.first, b.first) || order(b.last, a.last));
  const runs: SliceRun[] = [];
  for (const slice of sorted) {
    const run = runs.find((one) => one.last === slice.first && slice.last > slice.first);
    if (run !== undefined) {
      run.slices.push(slice);
      run.last = slice.last;
    } else if (!runs.some((one) => one.first <= slice.first && slice.last <= one.last)) {
      runs.push({ ...slice, slices: [slice] });
    }
  }
  return runs;
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The slices to read for the entries after `from` up to `to`, in order; null where no run holds them all. */
export function slicesFor(runs: readonly SliceRun[], from: Timestamp64, to: Timestamp64): SliceSpan[] | null {
  const run = runs.find((one) => one.first <= from && to <= one.last);
  if (run === undefined) return null;
  return run.slices.filter((slice) => slice.last > from && slice.first < to);
}
