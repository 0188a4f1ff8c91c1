/** How long a restore waits for the members of its target. */
export interface RestoreLimits {
  /** Before anything is touched: for a majority to have a note. */
  majorityMsMax: number;
  /** While it works: for the majority to get on at all, however far behind it is. */
  stallMsMax: number;
  /** Between two looks at the majority. */
  lookEveryMs: number;
}

export const defaultRestoreLimits: RestoreLimits = {
  majorityMsMax: 15_000,
  stallMsMax: 120_000,
  lookEveryMs: 2_000,
};
