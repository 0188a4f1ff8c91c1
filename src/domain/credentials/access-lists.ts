import {
  accessListOf,
  deleteAccessListEntry,
  findAccessListEntry,
  insertAccessListEntry,
  listAccessList,
  updateAccessListEntry,
} from '../../catalog/access-lists.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import type { AccessListEntryRow } from '../../catalog/schema.ts';
import { canonicalAddress, canonicalCidr } from '../../lib/cidr.ts';
import type { DomainContext } from '../context.ts';
import { refuse } from '../refusals/refusals.ts';
import type { AccessListEntry, AccessListOwner, AccessLists, AskedAccess } from './credentials.ts';
import { requireStillAdmitted } from './still-admitted.ts';

/**
 * From where callers may call, and what a project lists as addresses of its own. Who owns a list was looked up by
 * whoever asks.
 */
export function createAccessLists(context: DomainContext): AccessLists {
  const { catalog, clock, ids } = context;

  const requireEntry: AccessLists['get'] = async ({ owner, entry }) => {
    const cidrBlock = canonicalCidr(entry);
    const row = cidrBlock === null ? undefined : await findEntry(catalog.reader, owner, cidrBlock);
    if (row === undefined || isOver(row, clock.nowMs())) throw refuse('ACCESS_LIST_ENTRY_NOT_FOUND', [entry]);
    return viewOf(row);
  };

  return {
    list: async ({ owner, page }) =>
      mapPage(await listAccessList(catalog.reader, { owner, page, nowMs: clock.nowMs() }), viewOf),

    get: requireEntry,

    add: async ({ owner, entries, asking }) => {
      const nowMs = clock.nowMs();
      const wanted = entries.map((entry) => ({ ...checked(entry, nowMs), entry }));
      await catalog.transact(async (writer) => {
        for (const { cidrBlock, singleAddress, entry } of wanted) {
          const known = await findEntry(writer, owner, cidrBlock);
          const comment = entry.comment ?? known?.comment ?? null;
          const deleteAfterMs = entry.deleteAfterMs ?? null;
          if (known !== undefined) {
            await updateAccessListEntry(writer, known.id, { comment, deleteAfterMs });
            continue;
          }
          await insertAccessListEntry(writer, {
            id: ids.next(),
            ownerKind: owner.kind,
            ownerId: owner.id,
            cidrBlock,
            singleAddress: singleAddress ? 1 : 0,
            comment,
            deleteAfterMs,
            requests: 0,
            lastUsedAtMs: null,
            lastUsedAddress: null,
            createdAtMs: nowMs,
          });
        }
        await requireStillAdmitted(writer, asking);
      });
    },

    remove: async ({ owner, entry, asking }) => {
      const { id } = await requireEntry({ owner, entry });
      await catalog.transact(async (writer) => {
        await deleteAccessListEntry(writer, id);
        await requireStillAdmitted(writer, asking);
      });
    },
  };
}

/** Entries of older versions may have an IPv6 address in another form than RFC 5952's. */
async function findEntry(
  reader: CatalogReader,
  owner: AccessListOwner,
  cidrBlock: string,
): Promise<AccessListEntryRow | undefined> {
  const found = await findAccessListEntry(reader, owner, cidrBlock);
  if (found !== undefined || !cidrBlock.includes(':')) return found;
  return (await accessListOf(reader, owner)).find((row) => canonicalCidr(row.cidrBlock) === cidrBlock);
}

function isOver({ deleteAfterMs }: AccessListEntryRow, nowMs: number): boolean {
  return deleteAfterMs !== null && deleteAfterMs <= nowMs;
}

function checked(entry: AskedAccess, nowMs: number): { cidrBlock: string; singleAddress: boolean } {
  const { ipAddress, cidrBlock, deleteAfterMs } = entry;
  if ((ipAddress === undefined) === (cidrBlock === undefined))
    throw wrong('ipAddress', 'must be there, or cidrBlock, and not both');
  if (deleteAfterMs !== undefined && deleteAfterMs <= nowMs) throw wrong('deleteAfterDate', 'must be in the future');
  if (ipAddress !== undefined) {
    const address = canonicalAddress(ipAddress);
    if (address === null) throw wrong('ipAddress', 'must be an IPv4 or IPv6 address');
    return { cidrBlock: canonicalCidr(address) ?? '', singleAddress: true };
  }
  const canonical = canonicalCidr(cidrBlock ?? '');
  if (canonical === null || !cidrBlock?.includes('/'))
    throw wrong('cidrBlock', 'must be an address, a slash and the length of the prefix');
  return { cidrBlock: canonical, singleAddress: false };
}

function wrong(field: string, description: string) {
  return refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}

function viewOf({ ownerKind: _kind, ownerId: _owner, singleAddress, ...row }: AccessListEntryRow): AccessListEntry {
  const cidrBlock = canonicalCidr(row.cidrBlock) ?? row.cidrBlock;
  return { ...row, cidrBlock, address: singleAddress === 1 ? (cidrBlock.split('/')[0] ?? null) : null };
}
