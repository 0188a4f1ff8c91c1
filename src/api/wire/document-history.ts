import { type Timestamp64, timestampParts } from '../../bson/timestamp.ts';
import { isoSeconds } from '../../lib/clock.ts';

interface Version {
  kind: 'version';
  at: Timestamp64;
  operation: string;
  namespace: string;
  uuid: string;
  transaction: { sessionId: string; number: bigint } | null;
  content: string;
  /** Canonical Extended JSON. */
  documentJson: string | null;
  cause: string | null;
  shardName: string | null;
}

type Item = Version | { kind: 'unknown'; from: Timestamp64 | null; to: Timestamp64 | null; cause: string };

export function historyItemBody(item: Item): object {
  if (item.kind === 'version') return versionBody(item);
  const { from, to, cause } = item;
  return {
    cause,
    from: from === null ? null : entryTime(from),
    kind: 'unknown',
    to: to === null ? null : entryTime(to),
  };
}

export function versionBody(version: Version): object {
  const { transaction, documentJson, cause, shardName } = version;
  return {
    at: entryTime(version.at),
    collectionUuid: version.uuid,
    content: version.content,
    ...(documentJson === null ? {} : { document: JSON.parse(documentJson) as unknown }),
    kind: 'version',
    namespace: version.namespace,
    operation: version.operation,
    ...(shardName === null ? {} : { shardName }),
    ...(transaction === null
      ? {}
      : { transaction: { number: String(transaction.number), sessionId: transaction.sessionId } }),
    ...(cause === null ? {} : { unknownBecause: cause }),
  };
}

function entryTime(ts: Timestamp64): { date: string; increment: number } {
  const { t, i } = timestampParts(ts);
  return { date: isoSeconds(t * 1000), increment: i };
}
