import type { Column } from '../../src/cli/table.ts';
import type { ApiFigures } from './api-speed.ts';

/**
 * No list and no get takes longer on the server, in 99 of 100 cases. What is measured contains the client and the way
 * there too.
 */
const P99_BUDGET_MS = 20;

export const apiColumns: readonly Column[] = [
  { header: 'CALL' },
  { header: 'CREDENTIAL' },
  { header: 'P50', align: 'right' },
  { header: 'P99', align: 'right' },
  { header: 'CALLS/S', align: 'right' },
  { header: 'CPU', align: 'right' },
  { header: '' },
];

export function apiRows({ calls, loadBefore, snapshots }: ApiFigures): string[][] {
  const rows = calls.map(({ call, credential, p50Ms, p99Ms, callsPerSecond, cpuMs }) => [
    call,
    credential,
    `${p50Ms} ms`,
    `${p99Ms} ms`,
    String(callsPerSecond),
    `${cpuMs} ms`,
    p99Ms <= P99_BUDGET_MS ? 'held' : 'over',
  ]);
  return [
    ...rows,
    [`${snapshots} snapshots; load of the machine before: ${loadBefore.toFixed(1)}`, '', '', '', '', '', ''],
  ];
}
