import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CaptureRow } from './schema.ts';

export async function findCapture(reader: CatalogReader, clusterId: string): Promise<CaptureRow | undefined> {
  return await reader.selectFrom('captures').selectAll().where('clusterId', '=', clusterId).executeTakeFirst();
}

/** What a tailer says; what is wanted of it is said by others. */
export type TailerWord = Omit<CaptureRow, 'wantedT' | 'wantedI'>;

/** The row as it now is, whatever it was. */
export async function putCapture(writer: CatalogWriter, capture: TailerWord): Promise<void> {
  const { clusterId: _, ...changes } = capture;
  await writer
    .insertInto('captures')
    .values(capture)
    .onConflict((conflict) => conflict.column('clusterId').doUpdateSet(changes))
    .execute();
}

/**
 * Has the tailer store what it has read as soon as that reaches this time. A later wish takes the place of an earlier
 * one, which then waits for its slice to be due.
 */
export async function wantCaptured(
  writer: CatalogWriter,
  clusterId: string,
  upTo: { t: number; i: number },
): Promise<void> {
  await writer
    .updateTable('captures')
    .set({ wantedT: upTo.t, wantedI: upTo.i })
    .where('clusterId', '=', clusterId)
    .execute();
}
