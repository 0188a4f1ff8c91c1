import { formatNamespace, parseNamespace } from '../../bson/namespace.ts';
import type { CollectionSelection } from '../../engine/collections/backup/select-collections.ts';
import { refuse } from '../refusals/refusals.ts';
import type { CollectionRestoreRequest, RestoredNamespace } from './collection-restore-jobs.ts';

/** What a collection restore asks for, checked by itself. Pure. */

/** The server's own: no collection restore takes them, nor writes to them. */
const SERVER_DATABASES = new Set(['admin', 'config', 'local']);

const NAMES_MAX = 100;
/** What MongoDB takes on every platform that it runs on. */
const databaseName = /^[^/\\. "$*<>:|?\0]{1,63}$/;
const collectionName = /^(?!system\.)[^$\0]{1,255}$/;

export type RestoreSource =
  | { snapshotId: string }
  | { pointInTimeUtcSeconds: number }
  | { oplogTs: number; oplogInc: number };

/** What a restore of it selects, under the names that it is to have. */
export function selectionOf(request: SelectionRequest): CollectionSelection {
  const { databases, collections, databaseSuffix = '', collectionSuffix = '' } = request;
  return {
    databases: databases.map(({ source, target }) => ({ source, target: (target ?? source) + databaseSuffix })),
    collectionSuffix,
    collections: collections.map(({ source, target }) => {
      const { db, name } = parseNamespace(target ?? source);
      return { source: parseNamespace(source), target: { db: db + databaseSuffix, name: name + collectionSuffix } };
    }),
  };
}

export type SelectionRequest = Pick<
  CollectionRestoreRequest,
  'databases' | 'collections' | 'databaseSuffix' | 'collectionSuffix'
>;

/**
 * The one source that the request names; refused where it names none or several, or where the names in it cannot be.
 */
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

/** Refuses names that cannot be, or not together. */
export function checkNames(request: SelectionRequest): void {
  const { databases, collections } = request;
  if (databases.length + collections.length === 0) throw refuse('MISSING_ATTRIBUTE', ['collections']);
  if (databases.length > NAMES_MAX || collections.length > NAMES_MAX)
    throw refuse('VALIDATION_ERROR', [`at most ${NAMES_MAX} databases and ${NAMES_MAX} collections can be named`]);
  checkList('databases', databases, isDatabase);
  checkList('collections', collections, isNamespace);
  checkTargets(request);
}

/**
 * With suffixes they are names still, and no two collections get one. What a database brings is seen when its backup is
 * read.
 */
function checkTargets(request: SelectionRequest): void {
  const selection = selectionOf(request);
  const whole = new Set(selection.databases.map(({ source }) => source));
  for (const { target } of selection.databases) if (!isDatabase(target)) throw invalidName('databaseSuffix', target);
  const targets = new Set<string>();
  for (const { source, target } of selection.collections) {
    const name = formatNamespace(target);
    if (!isNamespace(name)) throw invalidName('collectionSuffix', name);
    if (whole.has(source.db))
      throw refuse('VALIDATION_ERROR', [
        `${formatNamespace(source)} is in the database ${source.db}, which is named too`,
      ]);
    if (targets.has(name)) throw refuse('VALIDATION_ERROR', [`${name} is the target of two collections`]);
    targets.add(name);
  }
}

function isDatabase(name: string): boolean {
  return databaseName.test(name) && !SERVER_DATABASES.has(name);
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
  return dot > 0 && isDatabase(name.slice(0, dot)) && collectionName.test(name.slice(dot + 1));
}

function invalidName(field: string, name: string) {
  const description = `has a name that cannot be: ${name}`;
  return refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}
