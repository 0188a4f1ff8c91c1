import { unreachable } from '../../lib/assert.ts';
import type { RestoreRequest } from '../domain.ts';
import { refuse } from '../refusals.ts';

/** What an automated restore needs to know. */
export interface AutomatedRestore {
  snapshotId: string;
  targetProjectId: string;
  targetClusterName: string;
}

/** What is asked for, checked for completeness; or the refusal. Pure. */
export function planRestore(request: RestoreRequest): AutomatedRestore {
  switch (request.deliveryType) {
    case 'automated':
      return {
        snapshotId: required(request.snapshotId, 'snapshotId'),
        targetProjectId: required(request.targetProjectId, 'targetGroupId'),
        targetClusterName: required(request.targetClusterName, 'targetClusterName'),
      };
    case 'download':
    case 'pointInTime':
      throw refuse('UNSUPPORTED_DELIVERY_METHOD', [request.deliveryType]);
    default:
      return unreachable(request.deliveryType);
  }
}

function required(value: string | undefined, attribute: string): string {
  if (value === undefined || value === '') throw refuse('MISSING_ATTRIBUTE', [attribute]);
  return value;
}
