import type { Optime, Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { LayerRef, Manifest } from '../../repository/format/manifest.ts';
import type { SnapshotWriter } from '../../repository/writer.ts';
import { CappedTake } from './capped-take.ts';
import type { CapturedOplog } from './captured-oplog.ts';
import { CollectionTake } from './collection-take.ts';
import { isClustered } from './ids-in-order.ts';
import type { SnapshotLimits } from './snapshot-limits.ts';
import type { SourceMeter } from './source-meter.ts';

/**
 * All that a snapshot in the making knows. It outlives the loss of a source member: what was read is
 * majority-committed data and true of every member.
 */
export class ReplicaSetTake {
  readonly writer: SnapshotWriter;
  readonly limits: SnapshotLimits;
  readonly meter: SourceMeter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** By UUID. Capped collections are not here but in `capped`. */
  readonly collections = new Map<string, CollectionTake>();
  /** By UUID, of the round at work. */
  readonly capped = new Map<string, CappedTake>();
  /** Everything up to this entry has been told to the takes; null before the start. */
  position: Optime | null = null;
  /**
   * No fuzzy read saw anything later than this entry. T is never before it: what such a read saw of the time after T
   * would be in the snapshot, and no entry up to T would say that it has to be read again.
   */
  readUpTo: Timestamp64 = 0n;
  /** The source's oplog as continuous backup has stored it; null before the source is known. */
  captured: CapturedOplog | null = null;
  scannedCollections = 0;
  rounds = 0;
  /** What kept the last round from ending, for the message of a failure. */
  unfinished: string[] = [];
  /**
   * `db.name` of what was replaced or changed too fast to be read in some round: names, because what comes next under
   * them is another collection.
   */
  readonly elusive = new Set<string>();
  readonly #seed: number;
  #saidListing = false;
  readonly #parentLayers = new Map<string, readonly LayerRef[]>();

  constructor(options: {
    writer: SnapshotWriter;
    limits: SnapshotLimits;
    meter: SourceMeter;
    clock: Clock;
    random: Random;
    log: Logger;
    signal: AbortSignal;
  }) {
    this.writer = options.writer;
    this.limits = options.limits;
    this.meter = options.meter;
    this.clock = options.clock;
    this.log = options.log;
    this.signal = options.signal;
    this.#seed = options.random.bytes(4).readUInt32LE(0);
  }

  /**
   * Makes the parent's blobs known for re-use and, where its history goes on in the oplog, its layers the start of
   * ours.
   */
  adoptParent(parent: Manifest, continues: boolean): void {
    assert(this.position === null && this.collections.size === 0, 'a parent is adopted before anything is read');
    const at = parent.header.position ?? parent.header.clusterTime;
    for (const entry of parent.collections) {
      if (entry.uuid === null) continue;
      this.#parentLayers.set(entry.uuid, entry.layers);
      // A re-created collection often holds much of what its predecessor of the same name held.
      this.#parentLayers.set(`${entry.db}.${entry.name}`, entry.layers);
      if (!continues || entry.layers.some((layer) => layer.ordered)) continue;
      const take = new CollectionTake(
        { db: entry.db, uuid: entry.uuid, clustered: isClustered(entry) },
        this.#seed,
        [],
      );
      take.layers = [...entry.layers];
      take.scanned = true;
      take.documents = entry.documents;
      this.collections.set(entry.uuid, take);
    }
    if (continues) {
      const ts = (BigInt(at.t) << 32n) | BigInt(at.i);
      this.position = { ts, term: BigInt(at.term) };
    }
  }

  /** The take of a listed collection, made when it is met first. */
  collection(listed: { db: string; name: string; uuid: string; info: Buffer }): CollectionTake {
    let take = this.collections.get(listed.uuid);
    if (take === undefined) {
      take = new CollectionTake(
        { db: listed.db, uuid: listed.uuid, clustered: isClustered(listed) },
        this.#seed,
        this.reusable(listed),
      );
      this.collections.set(listed.uuid, take);
    }
    return take;
  }

  reusable(listed: { db: string; name: string; uuid: string }): readonly LayerRef[] {
    return this.#parentLayers.get(listed.uuid) ?? this.#parentLayers.get(`${listed.db}.${listed.name}`) ?? [];
  }

  openCapped(listed: { db: string; name: string; uuid: string }): CappedTake {
    this.capped.get(listed.uuid)?.abandon();
    const take = new CappedTake(listed, {
      writer: this.writer,
      reuse: this.reusable(listed),
      seed: this.#seed,
      bytesMax: this.limits.cappedBytesMax,
    });
    this.capped.set(listed.uuid, take);
    return take;
  }

  abandonCapped(): void {
    for (const take of this.capped.values()) take.abandon();
    this.capped.clear();
  }

  /** Memory held by pending ids, about. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const take of this.collections.values()) if (take.pending.size > 0) bytes += take.pending.memoryBytes;
    return bytes;
  }

  /** The history behind `position` is lost or may not be trusted: everything is scanned again from a new position. */
  startOver(position: Optime): void {
    for (const take of this.collections.values()) take.forget();
    this.abandonCapped();
    this.position = position;
  }

  /** That the catalog is listed and looked ahead of, because it cannot be read at T: said once. */
  noteListing(reason: string): void {
    if (!this.#saidListing) this.log.info({ reason }, 'the catalog is listed, not read at the time of the snapshot');
    this.#saidListing = true;
  }

  /** After a fuzzy read: `majority` is what the member it was made on had majority-committed when it ended. */
  noteFuzzyRead(majority: Optime): void {
    if (majority.ts > this.readUpTo) this.readUpTo = majority.ts;
  }

  advance(position: Optime): void {
    assert(this.position === null || position.ts >= this.position.ts, 'the position only moves forward');
    this.position = position;
  }
}
