import asyncHooks from 'node:async_hooks';

/**
 * Loaded before `node:test` by what runs the pure tests. The runner notes with every asynchronous resource which test
 * made it, every promise included, and hears of the end of each: a third of the suite's time. It needs that for
 * callbacks that throw outside of their test; a test's own promise it awaits anyway. Without promises a rejection that
 * nobody handles fails the run as before, and is named by its message instead of its test.
 */
const createHook = asyncHooks.createHook;
asyncHooks.createHook = (callbacks) => {
  asyncHooks.createHook = createHook;
  return createHook({ ...callbacks, trackPromises: false });
};
