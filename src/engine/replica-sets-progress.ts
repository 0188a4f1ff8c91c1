import { assert } from '../lib/assert.ts';
import type { Progress, ReportProgress } from '../lib/progress.ts';

/** The progress of several replica sets as one: sums, and the words of the one that spoke last. */
export class ReplicaSetsProgress {
  readonly #latest: (Progress | null)[];
  readonly #report: ReportProgress;

  constructor(members: number, report: ReportProgress) {
    this.#latest = Array.from({ length: members }, () => null);
    this.#report = report;
  }

  reporterOf(index: number, name: string): ReportProgress {
    assert(index >= 0 && index < this.#latest.length, 'one of the replica sets reports');
    return (progress) => {
      this.#latest[index] = progress;
      const sum = (of: (one: Progress) => number) =>
        this.#latest.reduce((total, one) => total + (one === null ? 0 : of(one)), 0);
      // Of one that is in another phase, what it has done counts as all of it.
      const total = sum((one) => one.bytesTotal ?? one.bytesDone);
      this.#report({
        ...progress,
        ...(progress.bytesTotal === undefined ? {} : { bytesTotal: total }),
        subject: progress.subject === undefined ? name : `${name}: ${progress.subject}`,
        documentsDone: sum((one) => one.documentsDone),
        bytesDone: sum((one) => one.bytesDone),
      });
    };
  }
}
