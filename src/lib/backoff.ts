import { assert } from './assert.ts';

/** Waits that double from the first to the longest, in milliseconds (or whatever both are in). Pure. */
export interface Backoff {
  first: number;
  most: number;
}

/** The wait before the nth try again, n from 1. */
export function backoffOf({ first, most }: Backoff, n: number): number {
  assert(n >= 1, 'the first wait is number 1');
  return Math.min(most, first * 2 ** (n - 1));
}
