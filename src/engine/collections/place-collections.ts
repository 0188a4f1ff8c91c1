import { formatNamespace } from '../../bson/namespace.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import {
  dropFromTarget,
  findOnTarget,
  isNamespaceExists,
  listTarget,
  renameOnTarget,
} from '../../mongo/target-catalog.ts';
import { nameTargets, type WriteStrategy } from './name-targets.ts';
import { attempt, type Item, infoOf, type Staged, type Staging, stageCollections } from './stage-collections.ts';

/** Somebody else may take a name between our look and our step; hardly twice. */
const NAMES_MAX = 10;

export interface Placing {
  staging: Staging;
  writeStrategy: WriteStrategy;
  /** Sources that an earlier attempt had begun to put in their places. */
  begun: ReadonlySet<string>;
}

/**
 * Gives an item, complete under its staged name, its own; or creates the view that it is. Nothing or all of it is done,
 * but for a time series that replaces something.
 */
export async function placeCollection(placing: Placing, item: Item): Promise<void> {
  const { staging } = placing;
  const { journal } = staging;
  assert(!item.placed, 'a collection is put in its place once');
  throwIfAborted(staging.signal);
  staging.say(item.source);
  await attempt(staging, item, 'FAILED', async () => {
    await journal.update(item.source, { state: 'FINALIZING' });
    if (item.chosen.kind === 'view') await placeView(placing, item);
    else if (item.chosen.kind === 'collection') await placeStaged(placing, item);
    // A rename waits for a majority, and so for all that was loaded. What is made in its place does not: taken for
    // done, and lost by an election, it would not be made again by the next attempt.
    if (item.chosen.kind !== 'collection') await staging.target.settle();
    await journal.update(item.source, { state: 'SUCCESSFUL', stagedName: null });
    item.placed = true;
  });
  staging.done();
}

/** A time series cannot be renamed: where it replaces something, that has to go before it is made. */
export async function replaceWithSeries({ staging }: Pick<Placing, 'staging'>, item: Item): Promise<Staged> {
  assert(item.chosen.kind === 'timeseries' && !item.placed, 'only a time series is made after what it replaces');
  await staging.journal.update(item.source, { state: 'FINALIZING' });
  await attempt(staging, item, 'FAILED', async () => await dropFromTarget(staging.target, item.target));
  return await stageCollections({ ...staging, state: 'FINALIZING' }, [item]);
}

async function placeStaged({ staging, writeStrategy }: Placing, item: Item): Promise<void> {
  assert(item.created && item.uuid !== null, 'what is put in its place was created');
  const { target } = staging;
  const overwrite = writeStrategy === 'overwriteExisting';
  for (let tries = 1; ; tries++) {
    const there = await findOnTarget(target, item.target);
    if (there !== null && there.uuid !== null && there.uuid === item.uuid) return;
    // Only a collection is replaced by a rename; a view or time series has to be gone first.
    if (overwrite && there !== null && there.type !== 'collection') await dropFromTarget(target, item.target);
    const outcome = await renameOnTarget(target, item.staged, item.target.name, { dropTarget: overwrite });
    if (outcome === 'renamed') return;
    if (outcome === 'missing') throw lost(item);
    if (tries === NAMES_MAX) throw taken(item);
    if (!overwrite) await rename(staging, item);
  }
}

async function placeView({ staging, writeStrategy, begun }: Placing, item: Item): Promise<void> {
  assert(item.chosen.kind === 'view' && item.uuid === null, 'a view is made in its place');
  const { target } = staging;
  const overwrite = writeStrategy === 'overwriteExisting';
  for (let tries = 1; ; tries++) {
    const there = await findOnTarget(target, item.target);
    // It was free when this restore began to make it, so it is ours.
    if (!overwrite && there?.type === 'view' && begun.has(item.source)) return;
    if (overwrite && there !== null) await dropFromTarget(target, item.target);
    try {
      await target.create(item.target.db, item.target.name, infoOf(staging, item));
      return;
    } catch (error) {
      if (!isNamespaceExists(error)) throw error;
      if (tries === NAMES_MAX) throw taken(item);
    }
    if (!overwrite) await rename(staging, item);
  }
}

/** Another name, since somebody took the one that was free. */
async function rename({ target, items, journal }: Staging, item: Item): Promise<void> {
  const { db, name } = item.target;
  const others = [...items.values()].filter((other) => other !== item && other.target.db === db);
  const names = new Set([...(await listTarget(target, db)).keys(), ...others.map((other) => other.target.name)]);
  const wanted = { source: item.chosen.source, target: { db, name }, ofDatabase: false };
  [item.target] = nameTargets([wanted], new Map([[db, names]]), 'createNew') as [Item['target']];
  assert(item.target.db === db && item.target.name !== name, 'it gets another name in the same database');
  await journal.update(item.source, { effectiveTarget: formatNamespace(item.target) });
}

function lost(item: Item): Fault {
  const subject = formatNamespace(item.staged);
  const message = `${subject}, in which ${item.source} was loaded, is gone: somebody else dropped or renamed it`;
  return new Fault({ op: 'restore collections', subject, message, hint: 'Restore again' });
}

function taken(item: Item): Fault {
  const subject = formatNamespace(item.target);
  const message = `${subject} is created by somebody else again and again`;
  return new Fault({ op: 'restore collections', subject, message, hint: 'Stop that, or restore under another name' });
}
