import { bsonType, findId, forEachDocument, MalformedBson } from '../lib/raw-bson.ts';
import type { RestoreTarget } from '../mongo/target.ts';
import type { CollectionEntry } from '../repository/format/manifest.ts';
import { readCollection } from '../repository/layers.ts';
import type { Repository } from '../repository/repository.ts';
import type { RestorePlan } from './restore-plan.ts';

/**
 * Makes the target's users and roles those of the snapshot, except for the user and the roles under which we are connected there, which stay as they are: a restore
 * must not lock itself out half way. Roles come first, because users name them.
 */
export async function restoreUsers(
  repository: Repository,
  clusterId: string,
  target: RestoreTarget,
  plan: RestorePlan,
): Promise<void> {
  const own = await target.ownIdentity();
  await mergeById(repository, clusterId, target, 'system.roles', plan.roles, own.roles);
  await mergeById(repository, clusterId, target, 'system.users', plan.users, own.users);
  if (plan.users !== null && plan.version !== null) await addAuthSchema(repository, clusterId, target, plan.version);
}

async function mergeById(
  repository: Repository,
  clusterId: string,
  target: RestoreTarget,
  name: string,
  entry: CollectionEntry | null,
  keep: readonly string[],
): Promise<void> {
  const ids: string[] = [...keep];
  for await (const [id, document] of documentsById(repository, clusterId, target, entry)) {
    if (keep.includes(id)) continue;
    ids.push(id);
    await target.replaceById('admin', name, id, document);
  }
  await target.deleteAllBut('admin', name, ids);
}

/** A target that never had users lacks the document that says how they are stored; without it a restart with access control refuses them. */
async function addAuthSchema(
  repository: Repository,
  clusterId: string,
  target: RestoreTarget,
  version: CollectionEntry,
): Promise<void> {
  const present = await target.db('admin').collection<{ _id: string }>('system.version').findOne({ _id: 'authSchema' });
  if (present !== null) return;
  for await (const [id, document] of documentsById(repository, clusterId, target, version)) {
    if (id === 'authSchema') await target.replaceById('admin', 'system.version', id, document);
  }
}

async function* documentsById(
  repository: Repository,
  clusterId: string,
  target: RestoreTarget,
  entry: CollectionEntry | null,
): AsyncGenerator<[string, Buffer], void, undefined> {
  if (entry === null) return;
  for await (const documents of readCollection(repository, clusterId, entry, { signal: target.signal })) {
    const found: Buffer[] = [];
    forEachDocument(documents, (offset, length) => {
      found.push(documents.subarray(offset, offset + length));
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
