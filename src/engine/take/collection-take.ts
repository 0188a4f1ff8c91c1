import { assert } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import type { LayerRef } from '../../repository/format/manifest.ts';

/**
 * One collection on its way to T: the layers that hold it, and the ids touched since those layers were right. "Layers
 * plus pending ids" is always a true statement of what is known: a pending id means that its document has to be read
 * again, at T or later in a further layer.
 */
export class CollectionTake {
  readonly db: string;
  readonly uuid: string;
  /** Its documents lie in the order of their ids. */
  readonly clustered: boolean;
  /** Newest first. */
  layers: LayerRef[] = [];
  /** Whether `layers` hold the collection, up to what is pending; false until the first scan has ended. */
  scanned = false;
  /** Layers whose blobs a scan may find again. */
  reuse: readonly LayerRef[];
  pending: ByteSet;
  /** Rises when the layers are forgotten, so that a scan that was running then knows that it has to begin again. */
  epoch = 0;
  /** Documents at the layers' time, plus inserts minus deletes seen since: for people. */
  documents = 0;
  readonly #seed: number;

  constructor(target: { db: string; uuid: string; clustered: boolean }, seed: number, reuse: readonly LayerRef[]) {
    this.db = target.db;
    this.uuid = target.uuid;
    this.clustered = target.clustered;
    this.#seed = seed;
    this.pending = new ByteSet(seed);
    this.reuse = reuse;
  }

  /** Hands the pending ids over for reading; what is touched from now on goes into a new set. */
  takePending(): ByteSet {
    const taken = this.pending;
    this.pending = new ByteSet(this.#seed);
    return taken;
  }

  /** Ids that were not read, all or those at these places, back among the pending ones. */
  returnPending(ids: ByteSet, places: Iterable<number> = allPlaces(ids)): void {
    for (const place of places) {
      const id = ids.at(place);
      this.pending.add(id[0] as number, id, 1, id.length);
    }
  }

  pushLayer(layer: LayerRef): void {
    assert(layer.kind === 'delta' || this.layers.length === 0, 'a base lies below everything');
    if (layer.documents > 0 || layer.deleted > 0) this.layers.unshift(layer);
  }

  /** Forgets the layers: they are no longer "the collection up to pending ids". */
  forget(): void {
    this.epoch++;
    this.reuse = [...this.layers, ...this.reuse];
    this.layers = [];
    this.scanned = false;
    this.pending = new ByteSet(this.#seed);
    this.documents = 0;
  }
}

function* allPlaces(ids: ByteSet): Generator<number> {
  for (let place = 0; place < ids.size; place++) yield place;
}
