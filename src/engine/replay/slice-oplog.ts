import { type Optime, type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import type { ManifestHeader } from '../../repository/format/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import {
  rawEntryAt,
  readCoverage,
  readSlice,
  readSlices,
  type SliceReadOptions,
  type SliceSource,
} from '../../repository/slices.ts';
import type { OplogSource } from './replay-interval.ts';

/**
 * Where the caller does not say how far, slices are read on for this long after the end, for commits of prepared
 * transactions that were visible before it.
 */
const SEARCH_ON_SECONDS = 60n;

/**
 * The captured oplog of a replica set, for a replay from the snapshot's T to a point. `from` is the snapshot's T with
 * its term: that very entry has to be captured. What is missing, cut or altered is a Fault or Damage that names the
 * slice, raised while the replay is planned and so before a target is touched.
 */
export async function sliceOplog(
  repository: Repository,
  source: SliceSource,
  range: { from: Optime; end: Timestamp64; searchTo?: Timestamp64 },
  signal: AbortSignal,
  elsewhere: Pick<SliceReadOptions, 'copies' | 'onTrouble'> = {},
): Promise<OplogSource> {
  const options = { ...elsewhere, signal };
  const { runs } = await readCoverage(repository, source, options);
  const run = runs.find((one) => one.first <= range.from.ts && range.end <= one.last);
  const searchTo = range.searchTo ?? range.end + (SEARCH_ON_SECONDS << 32n);
  // Without such a run readSlices says what is not covered.
  const to = run === undefined ? range.end : run.last < searchTo ? run.last : searchTo;
  assert(to >= range.end, 'slices are read to the end at least');
  return {
    entries: () => readSlices(repository, source, { from: range.from, to }, options),
    earlier: async (ts) => {
      const span = run?.slices.find((slice) => slice.first <= ts && ts <= slice.last);
      return span === undefined ? null : rawEntryAt(await readSlice(repository, source, span, options), ts);
    },
  };
}

/** The captured oplog from a snapshot of a replica set to a later point. */
export async function oplogAfter(
  repository: Repository,
  { clusterId, replicaSetName, clusterTime, type, position }: ManifestHeader,
  end: Timestamp64,
  signal: AbortSignal,
  elsewhere: Pick<SliceReadOptions, 'copies' | 'onTrouble'> = {},
): Promise<OplogSource> {
  assert(type === 'replicaSet' && position === undefined, 'T is an entry of the oplog of a replica set by itself');
  const from = { ts: timestampOf(clusterTime), term: BigInt(clusterTime.term) };
  return await sliceOplog(repository, { clusterId, replicaSetName }, { from, end }, signal, elsewhere);
}
