import type { Timestamp64 } from '../../bson/timestamp.ts';
import { codeOf, isTimeUnreadable } from '../../mongo/errors.ts';
import { bsonTimestamp, type SourceMember } from '../../mongo/source-member.ts';
import { UNDER_WAY } from './sharding-ledgers.ts';

/** What moves on this replica set at that very time, in words; null where everything is at rest. */
export async function shardingInMotion(
  member: SourceMember,
  at: Timestamp64,
  signal: AbortSignal,
): Promise<string | null> {
  for (const [name, what] of UNDER_WAY) {
    const command = {
      find: name,
      limit: 1,
      singleBatch: true,
      readConcern: { level: 'snapshot', atClusterTime: bsonTimestamp(at) },
    };
    try {
      const reply = await member.command('config', command, signal);
      const [found] = reply.cursor.firstBatch as { nss?: unknown; ns?: unknown; _id?: unknown }[];
      if (found !== undefined) return `${what}${subjectOf(found)} on ${member.host}`;
    } catch (error) {
      // The collection was created or dropped since: something has just begun or ended.
      if (isTimeUnreadable(error)) return `${what} on ${member.host}`;
      if (codeOf(error) !== NAMESPACE_NOT_FOUND) throw error;
    }
  }
  return null;
}

const NAMESPACE_NOT_FOUND = 26;

function subjectOf(found: { nss?: unknown; ns?: unknown; _id?: unknown }): string {
  const id = found._id as { namespace?: unknown } | undefined;
  const subject = found.nss ?? found.ns ?? id?.namespace;
  return typeof subject === 'string' ? ` of ${subject}` : '';
}
