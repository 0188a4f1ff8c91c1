import type { CollectionRestoreRequest, RestoredNamespace } from '../domain.ts';
import { refuse } from '../refusals.ts';

/** What a collection restore asks for, checked by itself. Pure. */

const NAMES_MAX = 100;
/** What MongoDB takes on every platform that it runs on. */
const databaseName = /^[^/\\. "$*<>:|?\0]{1,63}$/;
const collectionName = /^(?!system\.)[^$\0]{1,255}$/;

export type RestoreSource =
  | { snapshotId: string }
  | { pointInTimeUtcSeconds: number }
  | { oplogTs: number; oplogInc: number };

/** The one source that the request names; refused where it names none or several, or where the names in it cannot be. */
export function restoreSource(request: CollectionRestoreRequest): RestoreSource {
  checkNames(request);
  const { snapshotId, pointInTimeUtcSeconds, oplogTs, oplogInc } = request;
  if ((oplogTs === undefined) !== (oplogInc === undefined))
    throw refuse('MISSING_ATTRIBUTE', [oplogTs === undefined ? 'oplogTs' : 'oplogInc']);
  const sources: RestoreSource[] = [
    ...(snapshotId === undefined ? [] : [{ snapshotId }]),
    ...(pointInTimeUtcSeconds === undefined ? [] : [{ pointInTimeUtcSeconds }]),
    ...(oplogTs === undefined || oplogInc === undefined ? [] : [{ oplogTs, oplogInc }]),
  ];
  const [source, second] = sources;
  if (source === undefined) throw refuse('MISSING_ATTRIBUTE', ['snapshotId']);
  if (second !== undefined)
    throw refuse('VALIDATION_ERROR', [
      'snapshotId, pointInTimeUtcSeconds and oplogTs with oplogInc exclude each other',
    ]);
  return source;
}

function checkNames({ databases, collections }: CollectionRestoreRequest): void {
  if (databases.length + collections.length === 0) throw refuse('MISSING_ATTRIBUTE', ['collections']);
  if (databases.length > NAMES_MAX || collections.length > NAMES_MAX)
    throw refuse('VALIDATION_ERROR', [`at most ${NAMES_MAX} databases and ${NAMES_MAX} collections can be named`]);
  checkList('databases', databases, (name) => databaseName.test(name));
  checkList('collections', collections, isNamespace);
}

function checkList(field: string, names: readonly RestoredNamespace[], valid: (name: string) => boolean): void {
  const seen = new Set<string>();
  for (const { source, target } of names) {
    if (!valid(source)) throw invalidName(`${field}.sourceNamespace`, source);
    if (target !== undefined && !valid(target)) throw invalidName(`${field}.targetNamespace`, target);
    if (seen.has(source)) throw refuse('VALIDATION_ERROR', [`${source} is named twice`]);
    seen.add(source);
  }
}

/** `db.collection`; the collection's name may hold more dots. */
function isNamespace(name: string): boolean {
  const dot = name.indexOf('.');
  return dot > 0 && databaseName.test(name.slice(0, dot)) && collectionName.test(name.slice(dot + 1));
}

function invalidName(field: string, name: string) {
  const description = `has a name that cannot be: ${name}`;
  return refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}
