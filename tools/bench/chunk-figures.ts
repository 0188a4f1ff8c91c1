/**
 * What a cluster of very many chunks costs to plan: `node tools/bench/chunk-figures.ts [chunks]`. The documents of
 * `config.chunks` are made on the way, as if they were read; measured are the two things that are done with them: the
 * routing of a collection that is on two shards by turns, and the ledger of a point after some thousand moves.
 */
import { BSON, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'mongodb';
import { LedgerChanges } from '../../src/engine/replay/ledger-changes.ts';
import { routingOf } from '../../src/engine/sharding/read-routing.ts';
import { systemClock } from '../../src/lib/clock.ts';

const chunks = Number(process.argv[2] ?? 1_000_000);
const MOVED = 5_000;
/** So many ranks apart: chunks are in the order of their making, not of their bounds. */
const STRIDE = 611_953;
const uuid = new UUID();
const raw = (document: object): Buffer => Buffer.from(BSON.serialize(document));
const idOf = (rank: number): ObjectId => new ObjectId(rank.toString(16).padStart(24, '0'));

function chunkAt(rank: number, shard: string): Buffer {
  const bound = (at: number) =>
    at === 0 ? new MinKey() : at === chunks ? new MaxKey() : Long.fromNumber(at * 1_000_003);
  const history = [{ validAfter: new Timestamp({ t: 1_790_000_000, i: rank }), shard }];
  const lastmod = new Timestamp({ t: rank, i: 1 });
  return raw({ _id: idOf(rank), uuid, min: { h: bound(rank) }, max: { h: bound(rank + 1) }, shard, lastmod, history });
}

async function* made(): AsyncGenerator<Buffer> {
  for (let n = 0; n < chunks; n++) {
    const rank = (n * STRIDE) % chunks;
    yield chunkAt(rank, `shard${rank % 2}`);
  }
}

async function* ledger(name: string): AsyncGenerator<Buffer> {
  if (name === 'databases') yield raw({ _id: 'app', primary: 'shard0' });
  else if (name === 'collections') yield raw({ _id: 'app.events', uuid, key: { h: 1 } });
  else yield* made();
}

async function measured(what: string, work: () => Promise<unknown>): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const result = await work();
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s, peak RSS so far ${peak} MB (${String(result)})\n`);
}

await measured('making the documents alone', async () => {
  let bytes = 0;
  for await (const chunk of made()) bytes += chunk.length;
  return `${chunks} chunks, ${bytes} bytes`;
});
await measured(`the ledger of a point, ${MOVED} chunks moved`, async () => {
  const changes = new LedgerChanges();
  for (let rank = 0; rank < MOVED; rank++) {
    const o = chunkAt(rank, 'shard1');
    const o2 = raw({ _id: idOf(rank) });
    const at = (start: number, end: number) => ({ type: 0x03, start, end });
    const buffer = Buffer.concat([o, o2]);
    changes.write(buffer, { op: 'u', o: at(0, o.length), o2: at(o.length, buffer.length), upsert: true });
  }
  let found = 0;
  for await (const _ of changes.over(made(), () => process.exit(1))) found++;
  return `${found} chunks`;
});
await measured('the routing of one collection', async () => {
  const routing = await routingOf(ledger);
  const owns = routing.ownership({ db: 'app', name: 'events' }, 'shard1');
  if (typeof owns === 'string') return owns;
  const document = raw({ _id: 1, h: Long.fromNumber(1_000_003 * 7) });
  const startedMs = systemClock.monotonicMs();
  for (let n = 0; n < 1_000_000; n++) owns(document, 0);
  return `a million documents looked up in ${((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1)} s more`;
});
