import { formatNamespace, isTaken, type Namespace } from '../../bson/namespace.ts';
import { findId } from '../../bson/raw-bson.ts';
import { idDocument, zeroTimestampUpdate } from '../../bson/zero-timestamps.ts';
import { Fault } from '../../lib/errors.ts';
import { connectCluster, redactUri } from '../../mongo/connection/connect.ts';
import { asFault } from '../../mongo/errors.ts';
import { OplogApplier } from '../../mongo/oplog-applier.ts';
import { RestoreTarget } from '../../mongo/target.ts';
import { readClusterFacts } from '../../mongo/topology.ts';
import { takesDiffs } from '../restore-plan.ts';

export interface PutDocumentOptions {
  uri: string;
  namespace: Namespace;
  /** Raw, with its `_id`. */
  document: Buffer;
  /** Puts it in the place of a document with the same id; else such a one is left alone. */
  overwrite: boolean;
  signal: AbortSignal;
}

/** `exists`: there is a document with this id, and it was left alone. */
export type PutDocument = 'inserted' | 'replaced' | 'exists';

/**
 * Writes one raw document into a collection, majority-committed. The collection's validator has its say, because a
 * person writes here and not a restore.
 */
export async function putDocument(options: PutDocumentOptions): Promise<PutDocument> {
  const { uri, namespace, document, overwrite, signal } = options;
  if (!isTaken(namespace) || namespace.name.startsWith('system.') || ['admin', 'config'].includes(namespace.db)) {
    throw new Fault({
      op: 'put document',
      subject: formatNamespace(namespace),
      message: `${formatNamespace(namespace)} is the server's own, and no document is written there by hand`,
    });
  }
  const client = await connectCluster(uri, { signal });
  try {
    const target = new RestoreTarget(client, signal);
    const done = overwrite
      ? await target.replaceDocument(namespace, document)
      : await target.insertDocument(namespace, document);
    if (done !== 'exists') await keepZeroTimestamps(target, namespace, document);
    return done;
  } catch (error) {
    throw asFault(error, 'put document', redactUri(uri));
  } finally {
    await client.close();
  }
}

async function keepZeroTimestamps(target: RestoreTarget, namespace: Namespace, document: Buffer): Promise<void> {
  if (zeroTimestampUpdate(document, { start: 0, end: document.length }, { diffs: true }) === null) return;
  const { featureCompatibilityVersion } = await readClusterFacts(target.client, formatNamespace(namespace));
  const form = { diffs: takesDiffs(featureCompatibilityVersion) };
  const mend = zeroTimestampUpdate(document, { start: 0, end: document.length }, form);
  const id = findId(document, 0);
  if (mend === null || id === null) return;
  const applier = new OplogApplier(target, 1);
  await applier.write(0, { op: 'u', namespace: formatNamespace(namespace), o: mend, o2: idDocument(document, id) });
  await applier.flush();
  await target.settle();
}
