import { Damage } from '../../lib/errors.ts';
import { JsonFields } from './json-fields.ts';

/**
 * Prefixes below which the holder writes blobs: that of the snapshot that the lease is named by, or any of the cluster.
 */
export type LeaseCover = 'snapshot' | 'cluster';

/**
 * What a lease says; whether it lives, its modification time and the store's own time say (`docs/repository-format.md`,
 * Leases).
 */
export interface LeaseJson {
  covers: LeaseCover;
  /** The snapshot whose blobs the holder may name; it is pinned while the lease lives. */
  parentSnapshotId: string | null;
  ended: boolean;
}

export function encodeLeaseJson({ covers, parentSnapshotId, ended }: LeaseJson): Buffer {
  return Buffer.from(`${JSON.stringify({ kind: 'lease', version: 1, covers, parentSnapshotId, ended })}\n`);
}

/** Damage where it is not what a Tidemark wrote. */
export function decodeLeaseJson(bytes: Buffer, subject: string): LeaseJson {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Damage({ op: 'read lease', subject, message: `${subject} is not JSON`, cause });
  }
  const fields = new JsonFields(json, subject);
  fields.oneOf('kind', ['lease']);
  if (fields.count('version') !== 1) throw fields.damaged('it is not of version 1');
  return {
    covers: fields.oneOf('covers', ['snapshot', 'cluster']),
    parentSnapshotId: fields.textOrNull('parentSnapshotId') === null ? null : fields.id('parentSnapshotId'),
    ended: fields.flag('ended'),
  };
}
