/**
 * Writes at a steady rate to a cluster, in a process of its own: `steady-writer.ts URI RATE SECONDS`. Prints how much
 * it wrote, as JSON.
 */
import { MongoClient } from 'mongodb';
import { systemClock } from '../../src/lib/clock.ts';

const BATCH = 100;
const IDS = 200_000;

async function write(uri: string, perSecond: number, seconds: number): Promise<void> {
  const client = new MongoClient(uri);
  await client.connect();
  const docs = client.db('bench').collection<{ _id: number; n: number; pad: string }>('steady');
  const startedMs = systemClock.monotonicMs();
  let written = 0;
  for (const wanted = perSecond * seconds; written < wanted; written += BATCH) {
    const dueMs = startedMs + (written / perSecond) * 1000;
    const aheadMs = dueMs - systemClock.monotonicMs();
    if (aheadMs > 1) await systemClock.sleep(aheadMs);
    const updates = Array.from({ length: BATCH }, (_, i) => {
      const _id = ((written + i) * 7919) % IDS;
      // Half new documents while there are ids, half changes: an entry of the oplog each.
      return {
        updateOne: {
          filter: { _id },
          update: { $inc: { n: 1 }, $setOnInsert: { pad: 'x'.repeat(200) } },
          upsert: true,
        },
      };
    });
    await docs.bulkWrite(updates, { ordered: false });
  }
  const ms = systemClock.monotonicMs() - startedMs;
  await client.close();
  process.stdout.write(JSON.stringify({ written, ms }));
}

const [uri = '', perSecond = '', seconds = ''] = process.argv.slice(2);
await write(uri, Number(perSecond), Number(seconds));
