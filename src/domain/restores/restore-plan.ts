import type { RestoreJobRow } from '../../catalog/schema.ts';
import { unreachable } from '../../lib/assert.ts';
import { type Point, pointOf } from '../continuous-backup/point-in-time.ts';
import { refuse } from '../refusals/refusals.ts';
import type { RestoreRequest } from './restore-jobs.ts';

interface Target {
  targetProjectId: string;
  targetClusterName: string;
}

/** A snapshot as it is. */
export interface AutomatedRestore extends Target {
  deliveryType: 'automated';
  snapshotId: string;
}

/** The captured oplog on top of a snapshot: the one that is named, or the newest that leads to the point. */
export interface PointInTimeRestore extends Target {
  deliveryType: 'pointInTime';
  snapshotId: string | null;
  point: Point;
}

/**
 * A snapshot as a file, or with a point what the captured oplog makes of it; then of the snapshot that is named, or of
 * the newest that leads there.
 */
export type Download = { deliveryType: 'download' } & (
  | { snapshotId: string; point: null }
  | { snapshotId: string | null; point: Point }
);

export type RestorePlan = AutomatedRestore | PointInTimeRestore | Download;

/** What is asked for, checked for completeness; or the refusal. Pure. */
export function planRestore(request: RestoreRequest): RestorePlan {
  switch (request.deliveryType) {
    case 'automated':
      return {
        deliveryType: 'automated',
        snapshotId: required(request.snapshotId, 'snapshotId'),
        ...targetOf(request),
      };
    case 'pointInTime':
      return {
        deliveryType: 'pointInTime',
        snapshotId: request.snapshotId ?? null,
        ...targetOf(request),
        point: pointOf(request),
      };
    case 'download':
      return { deliveryType: 'download', ...contentOf(request) };
    default:
      return unreachable(request.deliveryType);
  }
}

function contentOf(request: RestoreRequest) {
  const inTime = [request.pointInTimeUtcSeconds, request.oplogTs, request.oplogInc].some((part) => part !== undefined);
  if (inTime) return { snapshotId: request.snapshotId ?? null, point: pointOf(request) };
  return { snapshotId: required(request.snapshotId, 'snapshotId'), point: null };
}

function targetOf(request: RestoreRequest): Target {
  return {
    targetProjectId: required(request.targetProjectId, 'targetGroupId'),
    targetClusterName: required(request.targetClusterName, 'targetClusterName'),
  };
}

function required(value: string | undefined, attribute: string): string {
  if (value === undefined || value === '') throw refuse('MISSING_ATTRIBUTE', [attribute]);
  return value;
}

/** The point of a job that has one, read again. */
export function pointInTimeOf(job: Pick<RestoreJobRow, 'pointInTimeUtcSeconds' | 'oplogTs' | 'oplogInc'>): {
  point?: Point;
} {
  const { pointInTimeUtcSeconds, oplogTs, oplogInc } = job;
  if (pointInTimeUtcSeconds === null && oplogTs === null) return {};
  const request = {
    pointInTimeUtcSeconds: pointInTimeUtcSeconds ?? undefined,
    oplogTs: oplogTs ?? undefined,
    oplogInc: oplogInc ?? undefined,
  };
  return { point: pointOf(request) };
}
