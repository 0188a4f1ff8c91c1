/** Every bound of taking a snapshot, in one place. Defaults are for a process that stays below 512 MB. */
export interface SnapshotLimits {
  /** Collections scanned at once. */
  scansAtOnce: number;
  /** Rounds of catching up before the snapshot fails. */
  roundsMax: number;
  /** Passes over a moving catalog within one round. */
  catalogPassesMax: number;
  /** Memory for ids touched but not read yet; past it they are read at once, fuzzily, and the round goes on. */
  pendingBytesMax: number;
  /** Documents of capped collections held between their scan and T. */
  cappedBytesMax: number;
  /** A collection of which more than this share was touched is scanned instead, unless it is small. */
  rescanShare: number;
  /** Below this many touched ids reading by id is always cheaper. */
  rescanIdsMin: number;
  /** How long a new collection may be read at T itself before it is scanned fuzzily instead. */
  snapshotScanMsMax: number;
  /** Members of the source that may be lost before the snapshot fails. */
  memberLossesMax: number;
  /**
   * How long to wait for a member to reach a point that another one had reached, or for prepared transactions to end.
   */
  waitMsMax: number;
  /** Parents up to this size are checked for missing blobs before they are built upon. */
  parentCheckBytesMax: number;
  /** Bytes a second read from the source; 0 for no limit. */
  readBytesPerSecondMax: number;
}

export const defaultSnapshotLimits: SnapshotLimits = {
  scansAtOnce: 2,
  roundsMax: 30,
  catalogPassesMax: 500,
  pendingBytesMax: 96 * 1024 * 1024,
  cappedBytesMax: 64 * 1024 * 1024,
  rescanShare: 0.3,
  rescanIdsMin: 50_000,
  snapshotScanMsMax: 60_000,
  memberLossesMax: 8,
  waitMsMax: 60_000,
  parentCheckBytesMax: 256 * 2 ** 30,
  readBytesPerSecondMax: 0,
};
