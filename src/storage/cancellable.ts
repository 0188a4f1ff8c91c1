import type { ObjectStore } from './object-store.ts';

/**
 * The store, every call of which ends when the signal fires: for work that is one whole and takes no signal by itself.
 */
export function cancellable(store: ObjectStore, signal: AbortSignal): ObjectStore {
  return {
    description: store.description,
    put: async (objectKey, body, options) =>
      await store.put(objectKey, body, { ...options, signal: options?.signal ?? signal }),
    get: async (objectKey, options) => await store.get(objectKey, { ...options, signal: options?.signal ?? signal }),
    head: async (objectKey, options) => await store.head(objectKey, { ...options, signal: options?.signal ?? signal }),
    list: (prefix, options) => store.list(prefix, { ...options, signal: options?.signal ?? signal }),
    delete: async (objectKey, options) =>
      await store.delete(objectKey, { ...options, signal: options?.signal ?? signal }),
  };
}
