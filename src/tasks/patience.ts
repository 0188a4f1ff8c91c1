import type { TaskKind } from '../catalog/schema.ts';
import { jobPatience, type Patience } from '../lib/weather/patience.ts';

/**
 * How long each kind of task bears the weather (an election, a network that breaks, a store that stalls), in one place.
 * What is a fact ends a task at once, whatever is said here.
 */
export const patienceOf: Record<TaskKind, Patience> = {
  restoreSnapshot: jobPatience,
  restoreCollections: jobPatience,
  exportSnapshot: jobPatience,
  serveDownload: jobPatience,
  // About a minute: the next snapshot is not kept waiting.
  takeSnapshot: { attemptsMax: 5, totalMsMax: jobPatience.totalMsMax },
  takeCheckpoint: { attemptsMax: 5, totalMsMax: null },
  // Hours, with waits of five minutes; a region may be away for long.
  copySnapshot: { attemptsMax: 30, totalMsMax: null },
  copyOplogs: { attemptsMax: 30, totalMsMax: null },
  copyCatalog: { attemptsMax: 30, totalMsMax: null },
  pruneSlices: { attemptsMax: 20, totalMsMax: null },
  // A day: what is not deleted costs room, and after a rebuild shows a snapshot that was deleted.
  deleteSnapshot: { attemptsMax: 300, totalMsMax: null },
  deleteSnapshotCopy: { attemptsMax: 300, totalMsMax: null },
  // Days: until then the balancer of somebody's cluster stands still.
  releaseBalancer: { attemptsMax: 1_000, totalMsMax: null },
  // It never ends by itself: what passes is waited for as long as the cluster is to be captured.
  tailOplog: { attemptsMax: 1_000_000, totalMsMax: null },
};
