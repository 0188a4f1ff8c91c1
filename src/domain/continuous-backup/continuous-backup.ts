import { type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { type CaptureMember, decodeCaptureMembers, findCapture } from '../../catalog/captures.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import type { CaptureCoverage, CaptureEngine, CaptureGap } from './capture-engine.ts';
import { isCaptured } from './capture-task.ts';
import { capturedSets, knownSnapshots, readCoverages, runsFor } from './captured-sets.ts';
import { type RestorableRange, restorableRanges } from './point-in-time.ts';

/** How continuous backup of a cluster stands. */
export interface ContinuousBackupStatus {
  enabled: boolean;
  /** Captured up to this entry, of a sharded cluster on every member; null while nothing is. */
  captured: Timestamp64 | null;
  lagSeconds: number | null;
  /** The member that is read; null of a sharded cluster. */
  host: string | null;
  /** When the tailer last said so. */
  updatedAtMs: number | null;
  /** Why the last tailer ended; null while one is at work. */
  failure: string | null;
  /** What can be restored, ends included: a query on the repository and the snapshots. */
  ranges: RestorableRange[];
  /** Each with the shard whose it is; null of a replica set. */
  gaps: (CaptureGap & { shardName: string | null })[];
  storedBytes: number;
  /** Of a sharded cluster: its replica sets, the config servers last. */
  members: CapturedMember[];
}

export type CapturedMember = Omit<CaptureMember, 'capturedT' | 'capturedI'> & {
  captured: Timestamp64 | null;
  storedBytes: number;
};

export interface ContinuousBackup {
  status(cluster: ClusterName): Promise<ContinuousBackupStatus>;
}

export function createContinuousBackup(
  { catalog }: DomainContext,
  engine: Pick<CaptureEngine, 'coverage'>,
): ContinuousBackup {
  return {
    status: async (name) => {
      const cluster = await requireCluster(catalog.reader, name);
      const capture = await findCapture(catalog.reader, cluster.id);
      const members = decodeCaptureMembers(capture?.members ?? null);
      const snapshots = await knownSnapshots(catalog.reader, cluster.id);
      const sets = await capturedSets(catalog.reader, cluster, snapshots);
      const coverages = await readCoverages(engine, cluster.id, sets);
      return {
        enabled: isCaptured(cluster),
        captured: timeOf(capture),
        lagSeconds: capture?.lagSeconds ?? null,
        host: capture?.host ?? null,
        updatedAtMs: capture?.updatedAtMs ?? null,
        failure: capture?.failure ?? null,
        ranges: restorableRanges(runsFor(coverages), snapshots),
        gaps: [...coverages].flatMap(([set, { gaps }]) => gapsOf(gaps, members, set)),
        storedBytes: [...coverages.values()].reduce((sum, one) => sum + one.storedBytes, 0),
        members: members.map((member) => shownMember(member, coverages.get(member.replicaSetName))),
      };
    },
  };
}

function timeOf(row: { capturedT: number | null; capturedI: number | null } | undefined): Timestamp64 | null {
  const { capturedT: t, capturedI: i } = row ?? { capturedT: null, capturedI: null };
  return t === null || i === null ? null : timestampOf({ t, i });
}

/** A replica set that is none of the members any more is called by its own name. */
function gapsOf(
  gaps: readonly CaptureGap[],
  members: readonly CaptureMember[],
  replicaSetName: string,
): ContinuousBackupStatus['gaps'] {
  const member = members.find((one) => one.replicaSetName === replicaSetName);
  const shardName = members.length === 0 ? null : (member?.shardName ?? replicaSetName);
  return gaps.map((gap) => ({ ...gap, shardName }));
}

function shownMember(member: CaptureMember, coverage: CaptureCoverage | undefined): CapturedMember {
  const { capturedT: _t, capturedI: _i, ...shown } = member;
  return { ...shown, captured: timeOf(member), storedBytes: coverage?.storedBytes ?? 0 };
}
