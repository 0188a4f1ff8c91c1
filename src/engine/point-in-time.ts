import { forEachDocument } from '../lib/raw-bson.ts';
import { timestampOf } from '../lib/timestamp.ts';
import type { CollectionEntry, Manifest } from '../repository/format/manifest.ts';
import { readCollection } from '../repository/layers.ts';
import type { Repository } from '../repository/repository.ts';
import { type PlanReplayOptions, planReplay, type ReplayPlan } from './replay/plan-replay.ts';
import { createReplayState, isHeld, listState, type ReplayState } from './replay/replay-state.ts';
import type { AccessControlDocuments } from './restore-users.ts';

/** What a restore makes the target hold: a snapshot as it is, or what the oplog makes of it. */
export interface PointInTime {
  /** At the point; with the snapshot's layers where the collection was in the snapshot. */
  collections: readonly CollectionEntry[];
  accessControl: AccessControlDocuments;
  /** Null where there is nothing to replay. */
  plan: ReplayPlan | null;
}

/** The snapshot itself. */
export function pointOfSnapshot(repository: Repository, clusterId: string, manifest: Manifest): PointInTime {
  const documents = (name: string) => {
    const entry = manifest.collections.find((collection) => collection.db === 'admin' && collection.name === name);
    return entry === undefined ? null : readCollection(repository, clusterId, entry, {});
  };
  return {
    collections: manifest.collections,
    accessControl: {
      users: documents('system.users'),
      roles: documents('system.roles'),
      version: documents('system.version'),
    },
    plan: null,
  };
}

/** A point after the snapshot's T. Reads the oplog once; throws a Fault for what cannot be replayed. */
export async function planPointInTime(
  repository: Repository,
  clusterId: string,
  manifest: Manifest,
  options: Pick<PlanReplayOptions, 'end' | 'source' | 'signal' | 'progress'>,
): Promise<PointInTime & { plan: ReplayPlan }> {
  const held = new Map<string, Buffer[]>();
  for (const entry of manifest.collections) {
    if (!isHeld(entry)) continue;
    held.set(`${entry.db}.${entry.name}`, await readDocuments(repository, clusterId, entry, options.signal));
  }
  const plan = await planReplay({
    state: createReplayState(manifest.collections, held),
    from: timestampOf(manifest.header.clusterTime),
    ...options,
  });
  return { collections: listState(plan.state), accessControl: accessControlOf(plan.state), plan };
}

async function readDocuments(
  repository: Repository,
  clusterId: string,
  entry: CollectionEntry,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const documents of readCollection(repository, clusterId, entry, { signal })) {
    forEachDocument(documents, (offset, length) => {
      found.push(Buffer.from(documents.subarray(offset, offset + length)));
    });
  }
  return found;
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
