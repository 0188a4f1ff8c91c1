import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CaptureRow } from './schema.ts';

/** How far one replica set of a sharded cluster is captured. */
export interface CaptureMember {
  /** `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  host: string | null;
  capturedT: number | null;
  capturedI: number | null;
  lagSeconds: number | null;
  /** When its tailer last said so. */
  updatedAtMs: number;
  /** Why its tailer ended; null while one is at work. */
  failure: string | null;
}

/** Shards by name, the config servers last; none of a replica set. */
export function decodeCaptureMembers(members: string | null): CaptureMember[] {
  return members === null ? [] : (JSON.parse(members) as CaptureMember[]);
}

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
