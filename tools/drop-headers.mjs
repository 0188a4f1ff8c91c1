// After `npm ci`: the Node that comes along brings 67 MB of C++ headers that nobody here compiles against. Runs on
// whatever Node npm itself runs on.
import { readdirSync, rmSync } from 'node:fs';

const inside = new URL('../node_modules/node/node_modules/', import.meta.url);
try {
  for (const name of readdirSync(inside)) rmSync(new URL(`${name}/include`, inside), { recursive: true, force: true });
} catch (error) {
  // Without install scripts there is no Node in it, and nothing to drop.
  if (error.code !== 'ENOENT') throw error;
}
