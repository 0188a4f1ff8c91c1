import { bsonType, findId, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import type { RestoreLosses } from './losses.ts';

/**
 * Where the documents of `admin.system.*` come from: buffers of whole documents, or null where the source had no such
 * collection.
 */
export interface AccessControlDocuments {
  users: AsyncIterable<Buffer> | null;
  roles: AsyncIterable<Buffer> | null;
  version: AsyncIterable<Buffer> | null;
}

/**
 * Makes the target's users and roles those of the source, except for the user and the roles under which we are
 * connected there, which stay as they are: a restore must not lock itself out half way. Roles come first, because users
 * name them.
 */
export async function restoreUsers(
  target: RestoreTarget,
  documents: AccessControlDocuments,
  losses: RestoreLosses,
): Promise<void> {
  const own = await target.ownIdentity();
  await mergeById(target, 'role', documents.roles, own.roles, losses);
  await mergeById(target, 'user', documents.users, own.users, losses);
  if (documents.users !== null && documents.version !== null) await addAuthSchema(target, documents.version);
}

async function mergeById(
  target: RestoreTarget,
  kind: 'user' | 'role',
  documents: AsyncIterable<Buffer> | null,
  keep: readonly string[],
  losses: RestoreLosses,
): Promise<void> {
  const name = `system.${kind}s`;
  const ids: string[] = [...keep];
  for await (const [id, document] of byId(documents)) {
    if (keep.includes(id)) continue;
    const item = { namespace: `admin.${name}`, kind, name: id };
    const work = async () => await target.replaceById('admin', name, id, document);
    if (await losses.unlessRefused(item, work)) ids.push(id);
  }
  await target.deleteAllBut('admin', name, ids);
}

/**
 * A target that never had users lacks the document that says how they are stored; without it a restart with access
 * control refuses them.
 */
async function addAuthSchema(target: RestoreTarget, version: AsyncIterable<Buffer>): Promise<void> {
  const present = await target.db('admin').collection<{ _id: string }>('system.version').findOne({ _id: 'authSchema' });
  if (present !== null) return;
  for await (const [id, document] of byId(version)) {
    if (id === 'authSchema') await target.replaceById('admin', 'system.version', id, document);
  }
}

async function* byId(documents: AsyncIterable<Buffer> | null): AsyncGenerator<[string, Buffer], void, undefined> {
  if (documents === null) return;
  for await (const buffer of documents) {
    const found: Buffer[] = [];
    forEachDocument(buffer, (offset, length) => {
      found.push(buffer.subarray(offset, offset + length));
    });
    for (const document of found) yield [stringId(document), document];
  }
}

/** Users and roles have string ids, `<database>.<name>`; so has the document of the authentication schema. */
function stringId(document: Buffer): string {
  const id = findId(document, 0);
  if (id === null) throw new MalformedBson('a document of admin.system without _id');
  return id.type === bsonType.string ? document.toString('utf8', id.start + 4, id.end - 1) : '';
}
