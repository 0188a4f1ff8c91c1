import { assert, must } from '../../lib/assert.ts';
import { type DocumentVersion, type HistoryItem, positionOf, type UnknownStretch } from './history-item.ts';

/** An item of one shard's own history. */
export interface ShardItem {
  shardName: string;
  item: HistoryItem;
}

/** What is known of the document in one collection, which all shards call by one UUID. */
interface Merged {
  /** What each shard holds, be it the document or an orphan. */
  held: Map<string, DocumentVersion>;
  /** The shard whose document it is; null where there is none. */
  holder: string | null;
  /** The name that was told last. */
  namespace: string;
}

/**
 * Makes one history of those that shards tell. A document is on one shard at a time as clients see it, and may be on
 * others as an orphan: a copy that a migration is making, or has made and not removed yet. What a client wrote says
 * where it is; what migrations wrote is no version, because it changes nothing.
 */
export class ShardMerge {
  readonly #collections = new Map<string, Merged>();

  /** Takes what happened at one time, shards in order of name, and gives what is to be told of it. */
  take(items: readonly ShardItem[]): HistoryItem[] {
    assert(new Set(items.map(({ item }) => positionOf(item))).size <= 1, 'what is merged is of one time');
    const told: HistoryItem[] = [...mergeUnknown(items)];
    const found = new Map<string, DocumentVersion[]>();
    for (const { shardName, item } of items) {
      if (item.kind === 'unknown') continue;
      const version = { ...item, shardName };
      if (item.operation === 'snapshot') found.set(item.uuid, [...(found.get(item.uuid) ?? []), version]);
      else told.push(...this.#change(version, shardName));
    }
    for (const versions of found.values()) told.push(...this.#snapshot(versions));
    return told;
  }

  #of({ uuid, namespace }: DocumentVersion): Merged {
    const known = this.#collections.get(uuid);
    if (known !== undefined) return known;
    const merged: Merged = { held: new Map(), holder: null, namespace };
    this.#collections.set(uuid, merged);
    return merged;
  }

  #change(version: DocumentVersion, shardName: string): DocumentVersion[] {
    const merged = this.#of(version);
    merged.held.set(shardName, version);
    if (version.moved) {
      const left = version.content === 'absent' && merged.holder === shardName;
      if (left) merged.holder = shardThatHolds(merged);
      return [];
    }
    switch (version.operation) {
      case 'dropCollection':
      case 'emptyCollection':
        // Every shard of the collection logs it; those without the document have nothing to tell.
        if (merged.holder !== shardName) return [];
        merged.holder = null;
        break;
      case 'renameCollection':
        if (merged.holder !== shardName && (merged.holder !== null || merged.namespace === version.namespace))
          return [];
        break;
      default:
        merged.holder = version.content === 'absent' ? null : shardName;
    }
    merged.namespace = version.namespace;
    return [version];
  }

  /** What a snapshot found on the shards at its one time. */
  #snapshot(versions: readonly DocumentVersion[]): DocumentVersion[] {
    const first = must(versions[0], 'some shard was asked');
    const merged = this.#of(first);
    for (const version of versions) merged.held.set(version.shardName ?? '', version);
    merged.namespace = first.namespace;
    const documents = versions.filter(({ document }) => document !== null);
    const [one, ...others] = documents;
    // A shard of which the snapshot is the first to tell has nothing to say against one that is known to hold it.
    const isHeldElsewhere = merged.holder !== null && versions.every(({ shardName }) => shardName !== merged.holder);
    if (one === undefined && isHeldElsewhere) return [];
    if (one === undefined) {
      const unknown = versions.find(({ content }) => content === 'unknown');
      merged.holder = unknown?.shardName ?? null;
      return [unknown ?? { ...first, shardName: null }];
    }
    merged.holder = one.shardName;
    const differing = others.find(({ document }) => document?.equals(one.document ?? document) !== true);
    if (differing === undefined) return [one];
    const cause = `${documents.map(({ shardName }) => shardName).join(' and ')} held it differently, all but one as orphans`;
    return [{ ...one, content: 'unknown', document: null, shardName: null, cause }];
  }
}

function shardThatHolds({ held }: Merged): string | null {
  for (const [shardName, { content }] of held) if (content !== 'absent') return shardName;
  return null;
}

/** One stretch for all shards about which the same is not known for as long. */
function mergeUnknown(items: readonly ShardItem[]): UnknownStretch[] {
  const stretches = new Map<string, { stretch: UnknownStretch; shardNames: string[] }>();
  for (const { shardName, item } of items) {
    if (item.kind !== 'unknown') continue;
    const id = `${item.from}/${item.to}/${item.cause}`;
    const known = stretches.get(id);
    if (known === undefined) stretches.set(id, { stretch: item, shardNames: [shardName] });
    else known.shardNames.push(shardName);
  }
  return [...stretches.values()].map(({ stretch, shardNames }) => ({
    ...stretch,
    cause: `${shardNames.join(', ')}: ${stretch.cause}`,
  }));
}
