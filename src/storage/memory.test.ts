import { anyObjectKeysSuite, objectStoreSuite } from '../../test/conformance/object-store.suite.ts';
import { systemClock } from '../lib/clock.ts';
import { MemoryStore } from './memory.ts';

objectStoreSuite('memory', async () => {
  const store = new MemoryStore(systemClock);
  return { store, another: store, dispose: async () => undefined };
});

anyObjectKeysSuite('memory', async () => {
  const store = new MemoryStore(systemClock, { objectKeys: 'any' });
  return { store, another: store, dispose: async () => undefined };
});
