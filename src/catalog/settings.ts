import { Fault } from '../lib/errors.ts';
import type { CatalogReader, CatalogWriter } from './catalog.ts';

/** Facts about this installation that are neither options nor resources. */
export type SettingName = 'instanceId' | 'repositoryId' | 'secretKeyFingerprint';

export async function readSetting(reader: CatalogReader, name: SettingName): Promise<string | null> {
  const row = await reader.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? null;
}

export async function writeSetting(writer: CatalogWriter, name: SettingName, value: string): Promise<void> {
  await writer
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/**
 * A catalog beside another repository would show snapshots that are not there; beside another key its secrets would not
 * open.
 */
export async function requireSame(
  reader: CatalogReader,
  setting: 'repositoryId' | 'secretKeyFingerprint',
  found: string,
  what: string,
): Promise<void> {
  const expected = await readSetting(reader, setting);
  if (expected === null || expected === found) return;
  throw new Fault({
    op: 'open the data directory',
    subject: what,
    message: `${what} is not the one that the catalog was written with (${found} instead of ${expected})`,
    hint: 'Put the right one back; or move the catalog away and run `tidemark repository rebuild`',
  });
}
