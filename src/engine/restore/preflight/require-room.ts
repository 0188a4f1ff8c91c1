import { isTakenDatabase } from '../../../bson/namespace.ts';
import { assert } from '../../../lib/assert.ts';
import { Fault } from '../../../lib/errors.ts';
import type { RestoreTarget } from '../../../mongo/target.ts';
import { roomOnTarget } from '../../../mongo/target-catalog.ts';
import { storedBytesOf } from '../../../repository/format/layer-blobs.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';

/** A file system, in bytes. */
export interface Room {
  used: number;
  total: number;
}

/** Atlas gives a restore up when the disk is so full. */
export const FULL_SHARE = 0.95;

/**
 * Refuses what is sure not to fit beside what stays: stored documents are compressed more than a server's are, and
 * indexes come on top. What a restore replaces is counted as free.
 */
export async function requireRoom(
  target: RestoreTarget,
  loads: readonly CollectionEntry[],
  about: { name: string; op: string },
): Promise<void> {
  const room = await roomOnTarget(target, 'admin');
  if (room === null) return;
  const reply = await target.command('admin', { listDatabases: 1 });
  const databases = reply.databases as { name: string; sizeOnDisk?: unknown }[];
  const replaced = databases.filter(({ name }) => isTakenDatabase(name) && name !== 'admin' && name !== 'config');
  const freed = replaced.reduce((sum, { sizeOnDisk }) => sum + Number(sizeOnDisk ?? 0), 0);
  const after = roomAfter(room, freed, loads);
  if (after.used <= after.total * FULL_SHARE) return;
  const share = Math.round((after.used / after.total) * 100);
  throw new Fault({
    op: about.op,
    subject: about.name,
    message: `the disk of the target would be full to at least ${share} %; no data of it was touched`,
    hint: 'Give the target more room and restore again',
  });
}

/** What would be used at least. */
export function roomAfter(room: Room, freedBytes: number, loads: readonly CollectionEntry[]): Room {
  const layers = loads.flatMap((entry) => entry.layers);
  const needed = layers.reduce((sum, layer) => sum + storedBytesOf(layer), 0);
  assert(freedBytes >= 0 && needed >= 0, 'sizes are not below nothing');
  return { ...room, used: Math.max(0, room.used - freedBytes) + needed };
}
