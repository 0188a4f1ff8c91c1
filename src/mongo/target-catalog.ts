import type { Binary, CollectionInfo, Document } from 'mongodb';
import { formatNamespace, isTakenDatabase, type Namespace } from '../bson/namespace.ts';
import { assert } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { asFault, codeOf } from './errors.ts';
import type { RestoreTarget } from './target.ts';

/** What a target has under a name. */
export interface TargetEntry {
  type: 'collection' | 'view' | 'timeseries';
  /** 32 hex digits; null for views and time series, whose documents are elsewhere. */
  uuid: string | null;
}

const NAMESPACE_NOT_FOUND = 26;
const NAMESPACE_EXISTS = 48;
const MAJORITY = { w: 'majority' };

export async function listTargetDatabases(target: RestoreTarget): Promise<string[]> {
  const reply = await target.command('admin', { listDatabases: 1, nameOnly: true });
  return (reply.databases as { name: string }[]).map(({ name }) => name).filter(isTakenDatabase);
}

/** Everything of a database by name, the server's own collections too. */
export async function listTarget(target: RestoreTarget, db: string): Promise<Map<string, TargetEntry>> {
  return await list(target, db, {});
}

/** What has this name; null where nothing has. */
export async function findOnTarget(target: RestoreTarget, { db, name }: Namespace): Promise<TargetEntry | null> {
  return (await list(target, db, { name })).get(name) ?? null;
}

async function list(target: RestoreTarget, db: string, filter: Document): Promise<Map<string, TargetEntry>> {
  const found = new Map<string, TargetEntry>();
  try {
    const entries = target.db(db).listCollections(filter, { nameOnly: false, signal: target.signal });
    for await (const { name, type, info } of entries as AsyncIterable<CollectionInfo>) {
      const kind = type === 'view' || type === 'timeseries' ? type : 'collection';
      found.set(name, { type: kind, uuid: info?.uuid === undefined ? null : uuidOf(info.uuid) });
    }
  } catch (error) {
    throw asFault(error, 'list collections', db);
  }
  return found;
}

function uuidOf(uuid: Binary): string {
  return Buffer.from(uuid.value()).toString('hex');
}

/** Drops a collection, view or time series; that there is none is as good. */
export async function dropFromTarget(target: RestoreTarget, namespace: Namespace): Promise<void> {
  try {
    await target.command(namespace.db, { drop: namespace.name, writeConcern: MAJORITY });
  } catch (error) {
    if (codeOf(error) !== NAMESPACE_NOT_FOUND) throw asFault(error, 'drop', formatNamespace(namespace));
  }
}

/**
 * Gives a collection another name in its database. `exists`: something has that name, and it was not to be replaced.
 * `missing`: there is no such collection.
 */
export async function renameOnTarget(
  target: RestoreTarget,
  from: Namespace,
  name: string,
  options: { dropTarget: boolean },
): Promise<'renamed' | 'exists' | 'missing'> {
  const command = {
    renameCollection: formatNamespace(from),
    to: formatNamespace({ db: from.db, name }),
    dropTarget: options.dropTarget,
    writeConcern: MAJORITY,
  };
  try {
    await target.command('admin', command);
    return 'renamed';
  } catch (error) {
    if (codeOf(error) === NAMESPACE_EXISTS) return 'exists';
    if (codeOf(error) === NAMESPACE_NOT_FOUND) return 'missing';
    throw asFault(error, 'rename', formatNamespace(from));
  }
}

export function isNamespaceExists(error: unknown): boolean {
  return codeOf(error instanceof Fault ? error.cause : error) === NAMESPACE_EXISTS;
}

/**
 * As the server's metadata have it; a role that restores may not `count`. Of buckets the server says it in words of its
 * own.
 */
export async function countOnTarget(target: RestoreTarget, { db, name }: Namespace): Promise<number> {
  let reply: Document;
  try {
    reply = await target.command(db, { collStats: name });
  } catch (error) {
    throw asFault(error, 'collStats', `${db}.${name}`);
  }
  const count = Number(reply.timeseries?.bucketCount ?? reply.count);
  assert(Number.isSafeInteger(count), `collStats counts ${db}.${name}`);
  return count;
}

/** The file system under the primary's data, in bytes; null where the server does not tell. */
export async function roomOnTarget(target: RestoreTarget, db: string): Promise<{ used: number; total: number } | null> {
  try {
    const { fsUsedSize, fsTotalSize } = await target.command(db, { dbStats: 1 });
    const [used, total] = [Number(fsUsedSize), Number(fsTotalSize)];
    return used > 0 && total > 0 ? { used, total } : null;
  } catch (error) {
    throw asFault(error, 'dbStats', db);
  }
}
