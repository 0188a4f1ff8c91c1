import { MalformedBson } from '../../bson/raw-bson.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { messageOf } from '../../lib/errors.ts';
import { changedDocument, isModification } from '../../oplog/diffs.ts';
import type { DocumentVersion, HistoryOperation, HistoryTransaction } from './history-item.ts';

/** One change that concerns the document: its own writes, and catalog commands on collections. Raw parts are copies. */
export type Change =
  | { kind: 'write'; op: 'i' | 'u' | 'd'; namespace: string; uuid: string; o: Buffer; fromMigrate: boolean }
  | { kind: 'collectionCreated'; namespace: string; uuid: string }
  | { kind: 'collectionDropped' | 'collectionEmptied'; uuid: string }
  | { kind: 'collectionRenamed'; uuid: string; to: string; dropped: string | null }
  /** By a command or an operation that nobody knows here; of any collection where `uuid` is null. */
  | { kind: 'unknown'; uuid: string | null; command: string };

/** When a change takes effect. */
export interface ChangeTime {
  at: Timestamp64;
  transaction: HistoryTransaction | null;
}

/**
 * What is known of the document in one collection. `unsought`: what the snapshot at the beginning has, changed by
 * `pending`.
 */
type State =
  | { content: 'document'; document: Buffer }
  | { content: 'absent' }
  | { content: 'unknown'; cause: string }
  | { content: 'unsought'; pending: Buffer[] };

interface Trail {
  uuid: string;
  namespace: string;
  state: State;
  followed: boolean;
}

/** Trails of collections that are not followed (yet), and what is held for them. */
const OTHERS_MAX = 20_000;
const OTHERS_BYTES_MAX = 32 << 20;
const BEFORE_CAPTURE = 'what it was before is not known';

/**
 * Gives the document as a snapshot at the beginning has it; null where the collection was there without it, undefined
 * where nothing is known of the collection then.
 */
export type Seek = (uuid: string) => Promise<Buffer | null | undefined>;

/**
 * Follows one document through what an oplog says, in every collection that bears the name asked for at some time: by
 * UUID, so also under the names that such a collection has before and after. What happens in other collections is kept,
 * within bounds, because a collection may get the name later.
 */
export class DocumentTrails {
  readonly #namespace: string;
  readonly #trails = new Map<string, Trail>();
  #seek: Seek | null = null;
  #othersBytes = 0;
  /** Something was forgotten for want of memory: what was not sought is unknown. */
  #forgetful = false;
  /** Why nothing is known of collections that were not looked at before; null where nothing is in the way. */
  #blindness: string | null = null;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Whether a snapshot is there to look things up in. */
  get begun(): boolean {
    return this.#seek !== null;
  }

  /** Goes on from a snapshot; `named` is the collection that bears the name in it. Versions of what it tells anew. */
  async begin(seek: Seek, named: string | null, at: Timestamp64): Promise<DocumentVersion[]> {
    assert(!this.begun, 'a stretch begins at one snapshot');
    const versions: DocumentVersion[] = [];
    for (const uuid of this.unknown) versions.push(...(await this.resolve(uuid, seek, at)));
    for (const trail of this.#trails.values()) {
      // The snapshot has what these changed.
      if (trail.state.content === 'unsought') trail.state.pending = [];
      else if (trail.state.content === 'unknown' && !trail.followed) trail.state = { content: 'unsought', pending: [] };
    }
    this.#blindness = null;
    // What was created since is not in the snapshot, and was not there then.
    this.#seek = async (uuid) => (await seek(uuid)) ?? null;
    if (named === null) return versions;
    const trail = this.#trail(named, this.#namespace);
    if (trail.followed) return versions;
    trail.followed = true;
    await this.#settle(trail);
    return [...versions, versionOf(trail, 'snapshot', { at, transaction: null })];
  }

  /** Collections followed of whose document nothing is known. */
  get unknown(): string[] {
    return [...this.#trails.values()]
      .filter((one) => one.followed && one.state.content === 'unknown')
      .map(({ uuid }) => uuid);
  }

  /** What a later snapshot says of an unknown one; nothing where the snapshot does not know it either. */
  async resolve(uuid: string, seek: Seek, at: Timestamp64): Promise<DocumentVersion[]> {
    const trail = this.#trails.get(uuid);
    const found = await seek(uuid);
    if (trail === undefined || found === undefined) return [];
    trail.state = stateOf(found);
    return [versionOf(trail, 'snapshot', { at, transaction: null })];
  }

  async take(change: Change, time: ChangeTime): Promise<DocumentVersion[]> {
    switch (change.kind) {
      case 'write':
        return await this.#write(change, time);
      case 'collectionCreated':
        if (change.namespace === this.#namespace) {
          const trail = this.#trail(change.uuid, change.namespace);
          trail.followed = true;
          trail.state = { content: 'absent' };
        }
        return [];
      case 'collectionDropped':
        return this.#vanish(change.uuid, 'dropCollection', time);
      case 'collectionEmptied':
        return this.#vanish(change.uuid, 'emptyCollection', time);
      case 'collectionRenamed':
        return await this.#rename(change, time);
      case 'unknown':
        return this.#lose(change, time);
    }
  }

  /** Also of collections that nobody asks about yet: one of them may get the name later. */
  #lose({ uuid, command }: Change & { kind: 'unknown' }, time: ChangeTime): DocumentVersion[] {
    const cause = `\`${command}\`, which this version cannot follow`;
    if (uuid === null) this.#blindness = cause;
    const lost = uuid === null ? [...this.#trails.values()] : [this.#trails.get(uuid) ?? this.#trail(uuid, '')];
    for (const trail of lost) trail.state = { content: 'unknown', cause };
    const versions = lost.filter(({ followed }) => followed).map((trail) => versionOf(trail, 'update', time));
    this.#hold(0);
    return versions;
  }

  async #write(change: Change & { kind: 'write' }, time: ChangeTime): Promise<DocumentVersion[]> {
    const { op, namespace, uuid, o, fromMigrate } = change;
    const trail = this.#trail(uuid, namespace);
    if (namespace === this.#namespace) trail.followed = true;
    if (trail.followed) await this.#settle(trail);
    const whole = { type: 0x03, start: 0, end: o.length };
    const diff = op === 'u' && isModification(o, whole);
    if (op === 'd') trail.state = { content: 'absent' };
    else if (op === 'i') trail.state = { content: 'document', document: o };
    else if (!diff) trail.state = { content: 'document', document: changedDocument(o, o, whole) };
    else if (trail.state.content === 'unsought') trail.state.pending.push(o);
    else trail.state = changed(trail.state, o);
    if (trail.followed) {
      const operation = op === 'i' ? 'insert' : op === 'd' ? 'delete' : diff ? 'update' : 'replace';
      return [{ ...versionOf(trail, operation, time), moved: fromMigrate }];
    }
    this.#hold(o.length);
    return [];
  }

  #vanish(uuid: string, operation: HistoryOperation, time: ChangeTime): DocumentVersion[] {
    const trail = this.#trails.get(uuid);
    if (trail === undefined) return [];
    const wasAbsent = trail.state.content === 'absent';
    trail.state = { content: 'absent' };
    return trail.followed && !wasAbsent ? [versionOf(trail, operation, time)] : [];
  }

  async #rename(
    { uuid, to, dropped }: Change & { kind: 'collectionRenamed' },
    time: ChangeTime,
  ): Promise<DocumentVersion[]> {
    const versions = dropped === null ? [] : this.#vanish(dropped, 'dropCollection', time);
    const isTarget = to === this.#namespace;
    const known = this.#trails.get(uuid);
    if (known === undefined && !isTarget) return versions;
    const trail = this.#trail(uuid, to);
    trail.namespace = to;
    if (isTarget) trail.followed = true;
    if (!trail.followed) return versions;
    await this.#settle(trail);
    return [...versions, versionOf(trail, 'renameCollection', time)];
  }

  #trail(uuid: string, namespace: string): Trail {
    let trail = this.#trails.get(uuid);
    if (trail === undefined) {
      trail = { uuid, namespace, state: { content: 'unsought', pending: [] }, followed: false };
      this.#trails.set(uuid, trail);
    }
    trail.namespace = namespace;
    return trail;
  }

  /** Looks up what was left for later. */
  async #settle(trail: Trail): Promise<void> {
    assert(trail.followed, 'nothing is looked for but what is followed');
    if (trail.state.content !== 'unsought') return;
    const { pending } = trail.state;
    const found = this.#forgetful || this.#blindness !== null ? undefined : await this.#seek?.(trail.uuid);
    const cause = this.#blindness ?? BEFORE_CAPTURE;
    let state: State = found === undefined ? { content: 'unknown', cause } : stateOf(found);
    for (const diff of pending) state = changed(state, diff);
    trail.state = state;
  }

  /** Bounds what is held for collections that may never be asked about. */
  #hold(bytes: number): void {
    this.#othersBytes += bytes;
    if (this.#othersBytes <= OTHERS_BYTES_MAX && this.#trails.size <= OTHERS_MAX) return;
    for (const [uuid, trail] of this.#trails) if (!trail.followed) this.#trails.delete(uuid);
    this.#othersBytes = 0;
    this.#forgetful = true;
  }
}

function stateOf(found: Buffer | null): State {
  return found === null ? { content: 'absent' } : { content: 'document', document: found };
}

function changed(state: State, diff: Buffer): State {
  if (state.content === 'unknown' || state.content === 'unsought') return state;
  if (state.content === 'absent') return { content: 'unknown', cause: 'an update of a document that was not there' };
  try {
    const document = changedDocument(state.document, diff, { type: 0x03, start: 0, end: diff.length });
    return { content: 'document', document };
  } catch (error) {
    if (!(error instanceof MalformedBson)) throw error;
    return { content: 'unknown', cause: messageOf(error) };
  }
}

function versionOf(trail: Trail, operation: HistoryOperation, { at, transaction }: ChangeTime): DocumentVersion {
  const { uuid, namespace, state, followed } = trail;
  assert(followed, 'versions are told of what is followed');
  const content = state.content === 'unsought' ? 'unknown' : state.content;
  return {
    kind: 'version',
    at,
    operation,
    namespace,
    uuid,
    transaction,
    content,
    document: state.content === 'document' ? state.document : null,
    cause: state.content === 'unknown' ? state.cause : null,
    shardName: null,
    moved: false,
  };
}
