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
