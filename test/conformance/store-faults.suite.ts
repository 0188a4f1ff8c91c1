import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { describeError, Fault } from '../../src/lib/errors.ts';
import { ObjectExists, type ObjectStore } from '../../src/storage/object-store.ts';
import type { CallPolicy } from '../../src/storage/remote-calls.ts';
import type { RemoteStore } from '../../src/storage/remote-store.ts';
import { StoreFault, type StoreProblem } from '../../src/storage/store-fault.ts';
import { collect } from '../support/collect.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import type { ObjectStoreServer } from '../support/object-servers.ts';
import type { RemoteKind } from './remote-store.suite.ts';

/** Quick to give up, so that a test is too. */
const POLICY: CallPolicy = {
  attemptsMax: 4,
  backoffMs: 5,
  backoffMaxMs: 20,
  idleMs: 10_000,
  uploadBytesPerSecondMin: 1 << 20,
};

/** Where silence is what is tested. */
const HASTY: CallPolicy = { ...POLICY, idleMs: 800 };

export interface FaultKind<Place extends { prefix: string }> extends RemoteKind<Place> {
  /** How the provider says it: status and body of an answer, and the problem that it is. */
  answers: { name: string; status: number; body?: string; headers?: Record<string, string>; problem: StoreProblem }[];
  /** The same place with credentials that the server does not take. */
  withWrongCredentials?: (place: Place) => Place;
  isListing: (path: string) => boolean;
}

const body = Buffer.alloc(300_000, 5);

/** What a store does when its server, or the way there, does not work. */
export function storeFaultsSuite<Place extends { prefix: string }>(kind: FaultKind<Place>): void {
  describe(`a store in trouble: ${kind.name}`, { skip: kind.skip }, () => {
    let server: ObjectStoreServer<Place>;
    let proxy: FaultProxy;
    let store: RemoteStore;
    let hasty: RemoteStore;
    let buckets = 0;
    let bucket = '';
    before(async () => {
      server = await kind.start();
    });
    after(async () => {
      await server.stop();
    });
    beforeEach(async () => {
      proxy = await FaultProxy.start(server.endpoint);
      bucket = `trouble-${++buckets}`;
      await server.createBucket(bucket);
      store = kind.open(server.place(bucket, proxy.endpoint), { policy: POLICY });
      hasty = kind.open(server.place(bucket, proxy.endpoint), { policy: HASTY });
      await store.put('there', body);
    });
    afterEach(async () => {
      await proxy.stop();
    });

    const failFirst = (attempts: number, fault: ReturnType<FaultProxy['fault']>): void => {
      const from = proxy.requests.length;
      proxy.fault = ({ number }) => (number - from <= attempts ? fault : null);
    };
    const everyCall = (at: ObjectStore): [string, () => Promise<unknown>][] => [
      ['put', async () => await at.put('new', body)],
      ['put if absent', async () => await at.put('newer', body, { ifAbsent: true })],
      ['get', async () => assert.ok((await at.get('there')).equals(body))],
      ['head', async () => assert.equal((await at.head('there'))?.sizeBytes, body.length)],
      ['list', async () => assert.ok((await collect(at.list(''))).length > 0)],
      ['delete', async () => await at.delete('gone')],
    ];

    test('what passes is tried again: server errors, too much, resets, silence', async () => {
      const passing = [{ status: 500 }, { status: 503 }, { status: 429 }, 'reset', 'stall'] as const;
      for (const fault of passing) {
        for (const [name, call] of everyCall(fault === 'stall' ? hasty : store)) {
          // Silence takes its time, so not for every call.
          if (fault === 'stall' && name !== 'get' && name !== 'put') continue;
          failFirst(fault === 'stall' ? 1 : 2, fault);
          await call().catch((error: unknown) => assert.fail(`${name} after ${JSON.stringify(fault)}: ${error}`));
          proxy.fault = () => null;
          await Promise.all([store.delete('new'), store.delete('newer')]);
        }
      }
    });

    test('what does not pass ends in a Fault that says so, after a bounded number of attempts', async () => {
      for (const fault of [{ status: 503 }, 'reset'] as const) {
        for (const [name, call] of everyCall(store)) {
          const from = proxy.requests.length;
          proxy.fault = () => fault;
          await assert.rejects(call(), (error) => error instanceof Fault && error.retryable, name);
          assert.equal(proxy.requests.length - from, POLICY.attemptsMax, name);
        }
      }
    });

    test('a body that is cut short is never taken for the whole', async () => {
      failFirst(1, 'truncated');
      assert.ok((await store.get('there')).equals(body));
      failFirst(1, 'stalls midway');
      assert.ok((await hasty.get('there')).equals(body));
      proxy.fault = () => 'truncated';
      await assert.rejects(store.get('there'), (error) => error instanceof StoreFault && error.retryable);
    });

    test('a put whose acknowledgement is lost is known as its own, and one of somebody else is not', async () => {
      failFirst(1, 'answer lost');
      await store.put('mine', body, { ifAbsent: true });
      assert.ok((await store.get('mine')).equals(body));
      failFirst(1, 'reset');
      await assert.rejects(store.put('mine', body, { ifAbsent: true }), ObjectExists);
    });

    test('each refusal of the provider says what to do', async () => {
      for (const { name, problem, ...fault } of kind.answers) {
        const from = proxy.requests.length;
        proxy.fault = () => fault;
        await assert.rejects(
          store.put('refused', body),
          (error) => error instanceof StoreFault && error.problem === problem && describeError(error).length > 80,
          name,
        );
        if (problem !== 'busy') assert.equal(proxy.requests.length - from, 1, `${name} is not tried again`);
      }
    });

    test('a bucket that is not there, and one that goes away, are said to be missing', async () => {
      const nowhere = kind.open(server.place('never-made', proxy.endpoint), { policy: POLICY });
      const noBucket = (error: unknown) => error instanceof StoreFault && error.problem === 'noBucket';
      await assert.rejects(nowhere.put('a', Buffer.from('x')), noBucket);
      await assert.rejects(collect(nowhere.list('')), noBucket);
      await server.removeBucket(bucket);
      await assert.rejects(store.put('a', Buffer.from('x')), noBucket);
    });

    test('wrong credentials are said to be wrong', {
      skip: kind.withWrongCredentials === undefined && 'this server takes any credentials',
    }, async () => {
      const place = kind.withWrongCredentials?.(server.place(bucket, proxy.endpoint));
      assert.ok(place !== undefined);
      const from = proxy.requests.length;
      await assert.rejects(kind.open(place, { policy: POLICY }).put('a', Buffer.from('x')), (error) => {
        assert.ok(error instanceof StoreFault && ['credentials', 'denied'].includes(error.problem), String(error));
        return /renew them|permission/.test(describeError(error));
      });
      assert.equal(proxy.requests.length - from, 1);
    });

    test('a call that hangs ends when its signal fires, at once', async () => {
      const patient = kind.open(server.place(bucket, proxy.endpoint), { policy: { ...POLICY, idleMs: 60_000 } });
      for (const [name, call] of [
        ['put', (signal: AbortSignal) => patient.put('hanging', body, { signal })],
        ['get', (signal: AbortSignal) => patient.get('there', { signal })],
        ['list', (signal: AbortSignal) => collect(patient.list('', { signal }))],
      ] as const) {
        const controller = new AbortController();
        const arrived = new Promise<void>((resolve) => {
          proxy.fault = () => {
            resolve();
            return 'stall';
          };
        });
        const hanging = call(controller.signal);
        hanging.catch(() => undefined);
        await arrived;
        controller.abort(new Error('enough'));
        await assert.rejects(hanging, /enough/, name);
      }
      proxy.fault = () => null;
      assert.equal(await store.head('hanging'), null);
    });

    test('waiting for another attempt ends when the signal fires', async () => {
      const slow = kind.open(server.place(bucket, proxy.endpoint), {
        policy: { ...POLICY, backoffMs: 3_600_000, backoffMaxMs: 3_600_000 },
      });
      const controller = new AbortController();
      proxy.fault = () => ({ status: 503 });
      const waiting = slow.get('there', { signal: controller.signal });
      waiting.catch(() => undefined);
      while (proxy.requests.at(-1)?.method !== 'GET') await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
    });

    test('a listing of many pages is whole, also where pages fail', async () => {
      const objectKeys = Array.from({ length: 60 }, (_, n) => `many/${String(n).padStart(5, '0')}`);
      await Promise.all(objectKeys.map(async (each) => await store.put(each, Buffer.from('x'))));
      const paged = kind.open(server.place(bucket, proxy.endpoint), { policy: POLICY, pageMax: 7 });
      let pages = 0;
      proxy.fault = ({ path }) => (kind.isListing(path) && ++pages % 2 === 1 ? { status: 503 } : null);
      const infos = await collect(paged.list('many/'));
      assert.deepEqual(
        infos.map((info) => info.objectKey),
        objectKeys,
      );
      assert.ok(pages >= 18, `${pages} requests for 60 objects by sevens, each tried twice`);
    });
  });
}
