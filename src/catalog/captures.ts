import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CaptureRow } from './schema.ts';

export async function findCapture(reader: CatalogReader, clusterId: string): Promise<CaptureRow | undefined> {
  return await reader.selectFrom('captures').selectAll().where('clusterId', '=', clusterId).executeTakeFirst();
}

/** The row as it now is, whatever it was. */
export async function putCapture(writer: CatalogWriter, capture: CaptureRow): Promise<void> {
  const { clusterId: _, ...changes } = capture;
  await writer
    .insertInto('captures')
    .values(capture)
    .onConflict((conflict) => conflict.column('clusterId').doUpdateSet(changes))
    .execute();
}
