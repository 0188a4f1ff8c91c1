import { findElement, forEachDocument } from '../../bson/raw-bson.ts';
import { timestampOf } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import type { Repository } from '../../repository/repository.ts';
import { type PlanReplayOptions, planReplay, type ReplayPlan } from '../replay/plan-replay.ts';
import {
  createReplayState,
  isHeld,
  isHeldInPart,
  listState,
  type ReplayedSource,
  type ReplayState,
} from '../replay/replay-state.ts';
import type { AccessControlDocuments } from './restore-users.ts';

/** What a restore makes the target hold: a snapshot as it is, or what the oplog makes of it. */
export interface PointInTime {
  /** At the point; with the snapshot's layers where the collection was in the snapshot. */
  collections: readonly CollectionEntry[];
  accessControl: AccessControlDocuments;
  /** What a server has to be at least, where the oplog up to the point changed it. */
  server: { featureCompatibilityVersion?: string };
  /** Null where there is nothing to replay. */
  plan: ReplayPlan | null;
  /** Of a member of a sharded cluster: the documents that it had in one of its ledgers, by the name in `config`. */
  ledger: (name: string) => AsyncIterable<Buffer>;
}

export async function readLedger({ ledger }: Pick<PointInTime, 'ledger'>, name: string): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const document of ledger(name)) found.push(document);
  return found;
}

/** The snapshot itself. */
export function pointOfSnapshot(
  repository: Repository,
  clusterId: string,
  manifest: Manifest,
  signal: AbortSignal,
): PointInTime {
  assert(manifest.header.clusterId === clusterId, 'the manifest is of that cluster');
  const find = (db: string, name: string) => manifest.collections.find((one) => one.db === db && one.name === name);
  const documents = (name: string) => {
    const entry = find('admin', name);
    return entry === undefined ? null : readCollection(repository, clusterId, entry, { signal });
  };
  return {
    collections: manifest.collections,
    accessControl: {
      users: documents('system.users'),
      roles: documents('system.roles'),
      version: documents('system.version'),
    },
    server: {},
    plan: null,
    ledger: async function* (name) {
      const entry = find('config', name);
      if (entry === undefined) return;
      for await (const buffer of readCollection(repository, clusterId, entry, { signal })) yield* documentsIn(buffer);
    },
  };
}

function documentsIn(buffer: Buffer): Buffer[] {
  const found: Buffer[] = [];
  forEachDocument(buffer, (offset, length) => {
    found.push(Buffer.from(buffer.subarray(offset, offset + length)));
  });
  return found;
}

/** A point after the snapshot's T. Reads the oplog once; throws a Fault for what cannot be replayed. */
export async function planPointInTime(
  repository: Repository,
  clusterId: string,
  manifest: Manifest,
  options: Omit<PlanReplayOptions, 'state' | 'from'>,
  of: ReplayedSource = 'replicaSet',
): Promise<PointInTime & { plan: ReplayPlan }> {
  assert(manifest.header.type === 'replicaSet', 'each replica set is replayed by itself');
  const held = new Map<string, Buffer[]>();
  for (const entry of manifest.collections) {
    if (entry.uuid === null || !isHeld(entry, of) || isHeldInPart(entry, of)) continue;
    held.set(`${entry.db}.${entry.name}`, await readDocuments(repository, clusterId, entry, options.signal));
  }
  const plan = await planReplay({
    state: createReplayState(manifest.collections, held, of),
    from: timestampOf(manifest.header.clusterTime),
    ...options,
  });
  const { state } = plan;
  const chunks = () =>
    state.chunks.over(pointOfSnapshot(repository, clusterId, manifest, options.signal).ledger('chunks'), unfit);
  // What is touched is changed as it goes by; that it is there is known before a target is touched.
  if (state.chunks.needsBase) for await (const _ of chunks());
  const ledger = (name: string) =>
    name === 'chunks' && of === 'ofShardedCluster'
      ? chunks()
      : iterate([...(state.held.get(`config.${name}`)?.values() ?? [])]);
  return {
    collections: listState(state),
    accessControl: accessControlOf(state),
    server: serverOf(state),
    plan,
    ledger,
  };
}

function unfit(id: string): never {
  throw new Fault({
    op: 'replay',
    subject: 'config.chunks',
    message: `the oplog cannot be replayed: an update of the document ${id}, which config.chunks does not hold`,
    hint: 'Restore from a snapshot that was taken after it',
  });
}

async function readDocuments(
  repository: Repository,
  clusterId: string,
  entry: CollectionEntry,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const buffer of readCollection(repository, clusterId, entry, { signal })) {
    for (const document of documentsIn(buffer)) found.push(document);
  }
  return found;
}

/**
 * The feature compatibility version is a document of `admin.system.version`; entries written under a newer one are of
 * its forms.
 */
function serverOf(state: ReplayState): PointInTime['server'] {
  for (const document of state.held.get('admin.system.version')?.values() ?? []) {
    const [id, version] = [textAt(document, '_id'), textAt(document, 'version')];
    if (id === 'featureCompatibilityVersion' && version !== null) return { featureCompatibilityVersion: version };
  }
  return {};
}

function textAt(document: Buffer, name: string): string | null {
  const found = findElement(document, 0, name);
  return found?.type === 0x02 ? document.toString('utf8', found.start + 4, found.end - 1) : null;
}

function accessControlOf(state: ReplayState): AccessControlDocuments {
  const documents = (name: string) => {
    const held = state.held.get(`admin.${name}`);
    return held === undefined ? null : iterate([...held.values()]);
  };
  return {
    users: documents('system.users'),
    roles: documents('system.roles'),
    version: documents('system.version'),
  };
}

async function* iterate(documents: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* documents;
}
