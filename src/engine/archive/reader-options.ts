import type { Manifest } from '../../repository/format/manifest.ts';
import { isCapped } from '../replay/replay-state.ts';
import type { ArchivePoint } from './archive-point.ts';

/**
 * What mongorestore has to be told beside the file, to make of an archive what the source held: without
 * `--bypassDocumentValidation` documents that violate their validator are left out, without `--keepIndexVersion`
 * indexes of version 1 become ones of version 2, and without `--maintainInsertionOrder` capped collections lose their
 * order. Pure.
 */
export function readerOptions(manifest: Pick<Manifest, 'collections'>, point: ArchivePoint | undefined): string[] {
  const collections = point?.collections ?? manifest.collections;
  return [
    '--gzip',
    ...(point === undefined ? [] : ['--oplogReplay']),
    '--bypassDocumentValidation',
    '--keepIndexVersion',
    ...(collections.some(isCapped) ? ['--maintainInsertionOrder'] : []),
  ];
}
