import { unreachable } from '../../lib/assert.ts';
import { type Point, pointOf } from '../continuous-backup/point-in-time.ts';
import type { RestoreRequest } from '../domain.ts';
import { refuse } from '../refusals.ts';

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

/** A snapshot as a file. */
export interface Download {
  deliveryType: 'download';
  snapshotId: string;
}

export type RestorePlan = AutomatedRestore | PointInTimeRestore | Download;

/** What is asked for, checked for completeness; or the refusal. Pure. */
export function planRestore(request: RestoreRequest, nowMs: number): RestorePlan {
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
        point: pointOf(request, nowMs),
      };
    case 'download':
      if ([request.pointInTimeUtcSeconds, request.oplogTs, request.oplogInc].some((part) => part !== undefined))
        throw refuse('CANNOT_DOWNLOAD_POINT_IN_TIME');
      return { deliveryType: 'download', snapshotId: required(request.snapshotId, 'snapshotId') };
    default:
      return unreachable(request.deliveryType);
  }
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
