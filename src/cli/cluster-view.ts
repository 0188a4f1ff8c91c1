import { formatTimestamp, type Timestamp64, timestampParts } from '../bson/timestamp.ts';
import type { Cluster } from '../domain/clusters/clusters.ts';
import { DEPLOYMENT_NAMES } from '../domain/clusters/describe-deployment.ts';
import type { ContinuousBackupStatus } from '../domain/continuous-backup/continuous-backup.ts';
import type { Domain } from '../domain/domain.ts';
import type { Schedule } from '../domain/policies/schedule.ts';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import { formatAge, formatBytes, formatNumberOf, formatTime } from './sizes.ts';
import { renderFields, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** All that is known of how a cluster is backed up: as JSON and as a page. */
export interface ClusterFacts {
  cluster: Cluster;
  capture: ContinuousBackupStatus;
  schedule: Schedule;
  /** The newest one that was completed, by the time of its data. */
  last: Snapshot | null;
  snapshots: number;
  /** What needs somebody: a sentence each. None where all is well. */
  problems: string[];
}

/** A tailer at work says so at least every ten seconds. */
const SILENT_MS = 45_000;

export async function clusterFacts(domain: Domain, cluster: Cluster, nowMs: number): Promise<ClusterFacts> {
  const name = { projectId: cluster.projectId, clusterName: cluster.name };
  const one = { pageNum: 1, itemsPerPage: 1, includeCount: true };
  const [capture, schedule, completed, newest] = await Promise.all([
    domain.continuousBackup.status(name),
    domain.schedules.get(name),
    domain.snapshots.list({ ...name, completed: true, page: one }),
    domain.snapshots.list({ ...name, page: one }),
  ]);
  const [last = null] = completed.items;
  const [latest] = newest.items;
  const facts = { cluster, capture, schedule, last, snapshots: completed.totalCount ?? completed.items.length };
  const failed =
    latest?.status === 'failed' ? [`the newest snapshot failed: ${latest.failureReason ?? 'no reason'}`] : [];
  return { ...facts, problems: [...problemsOf(facts, nowMs), ...failed] };
}

function problemsOf({ cluster, capture, schedule, last }: Omit<ClusterFacts, 'problems'>, nowMs: number): string[] {
  const problems: string[] = [];
  if (cluster.probeFailure !== null) problems.push(`it does not answer: ${cluster.probeFailure}`);
  if (!cluster.backupEnabled)
    problems.push('backup is off: no snapshot is taken (`tidemark cluster update --backup on`)');
  if (cluster.paused) problems.push('it is paused: nothing is read from it (`tidemark cluster update --paused off`)');
  if (cluster.backupEnabled && last === null) problems.push('it has no completed snapshot: `tidemark snapshot take`');
  if (schedule.nextSnapshotMs !== null && schedule.nextSnapshotMs < nowMs)
    problems.push('a scheduled snapshot is overdue: they are taken while `tidemark serve` runs');
  if (!capture.enabled) return problems;
  if (capture.failure !== null) problems.push(`its oplog is not captured: ${capture.failure}`);
  else if (capture.updatedAtMs === null || nowMs - capture.updatedAtMs > SILENT_MS)
    problems.push('its oplog is not captured now: that is done while `tidemark serve` runs');
  for (const { from, cause, shardName } of capture.gaps)
    problems.push(
      `what came after ${formatTimestamp(from)}${shardName === null ? '' : ` on ${shardName}`} was not captured: ${cause}`,
    );
  if (capture.captured !== null && capture.ranges.length === 0)
    problems.push('no point in time can be restored yet: take a snapshot, now that the oplog is captured');
  return problems;
}

export function clusterJson({ cluster, capture, schedule, last, snapshots, problems }: ClusterFacts): object {
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const entry = (ts: Timestamp64 | null) => (ts === null ? null : timestampParts(ts));
  const { displayUri, createdAtMs, probedAtMs, ...shown } = cluster;
  return {
    ...shown,
    uri: displayUri,
    createdAt: time(createdAtMs),
    probedAt: time(probedAtMs),
    capture: {
      enabled: capture.enabled,
      captured: entry(capture.captured),
      lagSeconds: capture.lagSeconds,
      host: capture.host,
      failure: capture.failure,
      storedBytes: capture.storedBytes,
      restorable: capture.ranges.map(({ from, to }) => ({ from: entry(from), to: entry(to) })),
      gaps: capture.gaps.map(({ from, cause, shardName }) => ({ from: entry(from), cause, shardName })),
    },
    snapshots,
    lastSnapshot: last === null ? null : { id: last.id, createdAt: time(last.createdAtMs) },
    nextSnapshot: time(schedule.nextSnapshotMs),
    problems,
  };
}

export function clusterPage(facts: ClusterFacts, terminal: Terminal): string[] {
  const { cluster, problems } = facts;
  const { colors } = terminal;
  const members = cluster.members.map(({ host, state, priority, hidden }) => [
    host,
    state,
    `${priority}`,
    hidden ? 'hidden' : '',
  ]);
  const layout = [{ header: 'MEMBER', elastic: true }, { header: 'STATE' }, { header: 'PRIORITY' }, { header: '' }];
  return [
    ...renderFields(fieldsOf(facts), colors),
    ...(members.length === 0 ? [] : ['', ...renderTable(layout, members, terminal)]),
    '',
    ...(problems.length === 0
      ? [colors.green('Nothing is wrong.')]
      : [
          colors.yellow(`${formatNumberOf(problems.length, 'problem')}:`),
          ...problems.map((problem) => `  ${problem}`),
        ]),
  ];
}

function fieldsOf({ cluster, capture, schedule, last, snapshots }: ClusterFacts): [string, string | null][] {
  const { type, replicaSetName, mongodVersion, featureCompatibilityVersion: fcv, dataBytes } = cluster;
  const taken = last === null ? 'none' : `${last.id} as of ${formatTime(last.createdAtMs ?? 0)}`;
  const on = (flag: boolean) => (flag ? 'on' : 'off');
  const [first, ...more] = capture.ranges.map(({ from, to }) => `${formatTimestamp(from)} to ${formatTimestamp(to)}`);
  return [
    ['cluster', `${cluster.name} (${cluster.id})`],
    ['project', cluster.projectId],
    ['uri', cluster.displayUri],
    [DEPLOYMENT_NAMES[type], replicaSetName],
    ['MongoDB', mongodVersion === null ? null : `${mongodVersion}, feature compatibility ${fcv}`],
    ['data', dataBytes === null ? null : formatBytes(dataBytes)],
    ['backup', `${on(cluster.backupEnabled)}${cluster.paused ? ', paused' : ''}`],
    ['protected', cluster.terminationProtectionEnabled ? 'from being removed' : null],
    ['capture', captureOf(capture)],
    ['restorable', first ?? (capture.enabled ? 'nothing yet' : null)],
    ...more.map((range): [string, string] => ['', range]),
    ['snapshots', `${snapshots}`],
    ['last snapshot', taken],
    ['next snapshot', schedule.nextSnapshotMs === null ? 'not scheduled' : formatTime(schedule.nextSnapshotMs)],
  ];
}

function captureOf({ enabled, captured, lagSeconds, host, storedBytes }: ContinuousBackupStatus): string {
  if (!enabled) return 'off';
  if (captured === null) return 'on, nothing captured yet';
  const behind = lagSeconds === null ? '' : `, ${formatAge(lagSeconds * 1000)} behind`;
  const from = host === null ? '' : `, from ${host}`;
  return `on, up to ${formatTime(timestampParts(captured).t * 1000)}${behind}${from}; ${formatBytes(storedBytes)} stored`;
}
