import { formatBytes, formatCount, formatDuration } from '../../../src/cli/sizes.ts';
import type { Column } from '../../../src/cli/table.ts';
import type { CollectionsFigures, CollectionsOfBuild } from './collections-speed.ts';

export const collectionsColumns: readonly Column[] = [
  { header: 'WORK' },
  { header: 'MEASURED', align: 'right' },
  { header: 'AGAINST', align: 'right' },
  { header: 'RATIO', align: 'right' },
];

/** Against the other build, where there is one, and the bare client. */
export function collectionsRows({ collections, against }: CollectionsFigures): string[][] {
  const row = (work: string, name: keyof CollectionsOfBuild, format: (value: number) => string): string[] => [
    work,
    format(collections[name]),
    against === undefined ? '' : format(against[name]),
    against === undefined ? '' : ratio(collections[name], against[name]),
  ];
  const { count, restoreMs, restoreFloorMs } = collections;
  return [
    row(`first snapshot of ${formatCount(count)} collections`, 'firstMs', formatDuration),
    row('  objects', 'objects', formatCount),
    row('the next one, nothing changed', 'idleMs', formatDuration),
    row('  written', 'idleBytes', formatBytes),
    row('restore', 'restoreMs', formatDuration),
    [
      '  against a bare client',
      formatDuration(restoreMs),
      formatDuration(restoreFloorMs),
      ratio(restoreMs, restoreFloorMs),
    ],
    ...(against === undefined
      ? []
      : [
          [
            `  ${against.build} against it`,
            formatDuration(against.restoreMs),
            formatDuration(restoreFloorMs),
            ratio(against.restoreMs, restoreFloorMs),
          ],
        ]),
  ];
}

function ratio(measured: number, floor: number): string {
  return `${(measured / floor).toFixed(2)} x`;
}
