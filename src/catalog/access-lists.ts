import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { AccessListEntryRow, AccessListOwnerKind } from './schema.ts';

export interface AccessListOwner {
  kind: AccessListOwnerKind;
  id: string;
}

export async function insertAccessListEntry(writer: CatalogWriter, entry: AccessListEntryRow): Promise<void> {
  await writer.insertInto('accessListEntries').values(entry).execute();
}

/** Oldest first. */
export async function listAccessList(
  reader: CatalogReader,
  query: { owner: AccessListOwner; page: PageRequest; nowMs: number },
): Promise<Page<AccessListEntryRow>> {
  const filtered = ofOwner(reader, query.owner).where((e) =>
    e.or([e('deleteAfterMs', 'is', null), e('deleteAfterMs', '>', query.nowMs)]),
  );
  return await readPage(query.page, filtered, (rows) => rows.selectAll().orderBy('createdAtMs').orderBy('id'));
}

export async function accessListOf(reader: CatalogReader, owner: AccessListOwner): Promise<AccessListEntryRow[]> {
  return await ofOwner(reader, owner).selectAll().orderBy('id').execute();
}

export async function findAccessListEntry(
  reader: CatalogReader,
  owner: AccessListOwner,
  cidrBlock: string,
): Promise<AccessListEntryRow | undefined> {
  return await ofOwner(reader, owner).selectAll().where('cidrBlock', '=', cidrBlock).executeTakeFirst();
}

export async function updateAccessListEntry(
  writer: CatalogWriter,
  id: string,
  changes: Pick<AccessListEntryRow, 'comment' | 'deleteAfterMs'>,
): Promise<void> {
  await writer.updateTable('accessListEntries').set(changes).where('id', '=', id).execute();
}

export async function noteAccessListUse(
  writer: CatalogWriter,
  id: string,
  use: { requests: number; atMs: number; address: string },
): Promise<void> {
  await writer
    .updateTable('accessListEntries')
    .set((e) => ({
      requests: e('requests', '+', use.requests),
      lastUsedAtMs: use.atMs,
      lastUsedAddress: use.address,
    }))
    .where('id', '=', id)
    .execute();
}

export async function deleteAccessListEntry(writer: CatalogWriter, id: string): Promise<void> {
  await writer.deleteFrom('accessListEntries').where('id', '=', id).execute();
}

export async function deleteAccessListOf(writer: CatalogWriter, owner: AccessListOwner): Promise<void> {
  await writer
    .deleteFrom('accessListEntries')
    .where('ownerKind', '=', owner.kind)
    .where('ownerId', '=', owner.id)
    .execute();
}

/** Entries that were to last for a time only, and whose time is over. */
export async function deleteAccessListEntriesDue(writer: CatalogWriter, nowMs: number): Promise<void> {
  await writer.deleteFrom('accessListEntries').where('deleteAfterMs', '<=', nowMs).execute();
}

export async function allAccessListEntries(reader: CatalogReader): Promise<AccessListEntryRow[]> {
  return await reader.selectFrom('accessListEntries').selectAll().orderBy('id').execute();
}

function ofOwner(reader: CatalogReader, { kind, id }: AccessListOwner) {
  return reader.selectFrom('accessListEntries').where('ownerKind', '=', kind).where('ownerId', '=', id);
}
