import { Binary, Decimal128, type Document, ObjectId } from 'bson';
import { SeededRandom } from '../test/support/seeded-random.ts';

/**
 * Documents of a made-up shop, as varied as real ones: 200 bytes to 20 kB, text that compresses, numbers that hardly
 * do, binary that does not. The same seed gives the same documents. Used by the demo, the dev server and the bench.
 */

const WORDS =
  'amber anchor basin beacon breeze bridge candle canvas cedar chart cliff cloud coast copper coral current delta dock drift dune ember ferry fjord foam fog forest gale glass granite gull harbour haven horizon island jetty kelp lagoon lantern ledge lighthouse linen maple marsh mast mist moon moss mussel oak oar ocean oyster pebble pier pine port quay rain reef ridge river rope rudder sail salt sand shell shore silver slate spring star stone storm stream summer tide timber tower valley wave willow wind winter'.split(
    ' ',
  );
const CITIES = ['Bergen', 'Cork', 'Faro', 'Gdynia', 'Hoorn', 'Lorient', 'Porto', 'Rostock', 'Split', 'Turku'] as const;
const STATES = ['placed', 'paid', 'packed', 'shipped', 'delivered', 'returned'] as const;
const EPOCH_MS = Date.UTC(2026, 0, 1);

export const sampleCollections = ['orders', 'customers', 'articles', 'attachments'] as const;
export type SampleCollection = (typeof sampleCollections)[number];

/** What each collection has of the bytes of the whole. */
export const shareOfBytes: Readonly<Record<SampleCollection, number>> = {
  orders: 0.45,
  customers: 0.1,
  articles: 0.3,
  attachments: 0.15,
};

/** Indexes that such a shop would have; `_id` apart. */
export const sampleIndexes: Readonly<
  Record<SampleCollection, readonly { key: Document; name: string; unique?: boolean }[]>
> = {
  orders: [
    { key: { customer: 1, placedAt: -1 }, name: 'customer_placedAt' },
    { key: { state: 1 }, name: 'state' },
  ],
  customers: [{ key: { email: 1 }, name: 'email', unique: true }],
  articles: [{ key: { 'tags.name': 1 }, name: 'tags' }],
  attachments: [{ key: { article: 1 }, name: 'article' }],
};

export class SampleDocuments {
  readonly #random: SeededRandom;
  #sequence = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  next(collection: SampleCollection): Document {
    const sequence = this.#sequence++;
    switch (collection) {
      case 'orders':
        return this.#order(sequence);
      case 'customers':
        return this.#customer(sequence);
      case 'articles':
        return this.#article(sequence);
      case 'attachments':
        return this.#attachment(sequence);
    }
  }

  /** Four bytes of seconds that rise, as a live system's do, and eight of chance. */
  #id(sequence: number): ObjectId {
    const bytes = this.#random.bytes(12);
    bytes.writeUInt32BE(Math.floor(EPOCH_MS / 1000) + Math.floor(sequence / 50), 0);
    bytes.writeUIntBE(sequence % 0x1000000, 9, 3);
    return new ObjectId(bytes);
  }

  #order(sequence: number): Document {
    const random = this.#random;
    return {
      _id: this.#id(sequence),
      customer: random.below(100_000),
      state: random.pick(STATES),
      placedAt: new Date(EPOCH_MS + sequence * 977),
      total: Decimal128.fromString((random.between(100, 999_999) / 100).toFixed(2)),
      lines: Array.from({ length: random.between(1, 12) }, () => ({
        article: random.pick(WORDS),
        sku: random.next().toString(36),
        quantity: random.between(1, 9),
        price: random.between(99, 99_999) / 100,
      })),
      address: this.#address(),
      note: random.below(3) === 0 ? this.#text(random.between(5, 60)) : null,
    };
  }

  #customer(sequence: number): Document {
    const random = this.#random;
    const name = `${random.pick(WORDS)} ${random.pick(WORDS)}`;
    return {
      _id: this.#id(sequence),
      name,
      email: `${name.replace(' ', '.')}.${sequence}@example.com`,
      address: this.#address(),
      newsletter: random.below(2) === 0,
      visits: random.below(5000),
      lastSeen: new Date(EPOCH_MS + random.below(300) * 86_400_000),
      segments: Array.from({ length: random.between(1, 6) }, () => random.pick(WORDS)),
    };
  }

  #article(sequence: number): Document {
    const random = this.#random;
    return {
      _id: this.#id(sequence),
      title: this.#text(random.between(3, 9)),
      body: this.#text(random.between(100, 1500)),
      tags: Array.from({ length: random.between(1, 8) }, () => ({
        name: random.pick(WORDS),
        weight: random.next() / 2 ** 32,
      })),
      stock: Object.fromEntries(CITIES.map((city) => [city, random.below(1000)])),
    };
  }

  #attachment(sequence: number): Document {
    const random = this.#random;
    return {
      _id: this.#id(sequence),
      article: random.pick(WORDS),
      mediaType: 'application/octet-stream',
      data: new Binary(random.bytes(random.between(1000, 19_500))),
    };
  }

  #address(): Document {
    const random = this.#random;
    return {
      street: `${random.pick(WORDS)} ${random.between(1, 200)}`,
      city: random.pick(CITIES),
      code: random.between(10_000, 99_999),
    };
  }

  #text(words: number): string {
    const text: string[] = [];
    for (let count = 0; count < words; count++) text.push(this.#random.pick(WORDS));
    return text.join(' ');
  }
}
