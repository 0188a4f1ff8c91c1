/**
 * What long work says of itself while it runs. Counters only grow within one phase; `total` is an estimate, for a
 * progress bar and for nothing else. The reporter must return at once: it is called from inner loops, at most a few
 * times a second.
 */
export interface Progress {
  phase: string;
  /** Namespace or object now in work, where there is one. */
  subject?: string;
  documentsDone: number;
  bytesDone: number;
  bytesTotal?: number;
  collectionsDone?: number;
  collectionsTotal?: number;
}

export type ReportProgress = (progress: Progress) => void;
