import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, settled } from '../../../test/support/fake-clock.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import { Cancelled, Fault } from '../errors.ts';
import { type ThroughWeatherOptions, throughWeather } from './through-weather.ts';

const weather = () => new Fault({ op: 'restore', subject: 's', message: 'the primary stood down', retryable: true });
const fact = () => new Fault({ op: 'restore', subject: 's', message: 'no such snapshot' });

function setting(options: Partial<ThroughWeatherOptions> = {}) {
  const clock = new FakeClock();
  const phases: string[] = [];
  const stop = new AbortController();
  const all = {
    patience: { attemptsMax: 3, totalMsMax: 60_000 },
    clock,
    random: new SeededRandom(1),
    signal: stop.signal,
    report: ({ phase }: { phase: string }) => void phases.push(phase),
    ...options,
  };
  return { clock, phases, stop, all };
}

/** Lets waits pass until the work has ended. */
async function ended<T>(clock: FakeClock, work: Promise<T>): Promise<PromiseSettledResult<T>> {
  let result: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([work]).then(([one]) => {
    result = one;
  });
  for (let step = 0; step < 200 && result === undefined; step++) {
    await settled();
    await clock.advance(1_000);
  }
  return result ?? assert.fail('it goes on');
}

test('what fails by weather begins again, and says meanwhile what it waits for', async () => {
  const { clock, phases, all } = setting();
  const attempts: number[] = [];
  const work = async (attempt: number) => {
    attempts.push(attempt);
    if (attempt < 3) throw weather();
    return 'done';
  };
  assert.deepEqual(await ended(clock, throughWeather(all, work)), { status: 'fulfilled', value: 'done' });
  assert.deepEqual(attempts, [1, 2, 3]);
  assert.match(
    phases.join('\n'),
    /^waiting \d s before try 2 of 3: the primary stood down\nwaiting \d s before try 3 of 3/,
  );
});

test('its patience ends with its attempts and with its time, and a fact ends it at once', async () => {
  const rejected = async (options: Partial<ThroughWeatherOptions>, thrown: () => Error) => {
    const { clock, all } = setting(options);
    let attempts = 0;
    const work = async () => {
      attempts++;
      throw thrown();
    };
    const end = await ended(clock, throughWeather(all, work));
    return [attempts, end.status === 'rejected' ? (end.reason as Error).message : 'done'] as const;
  };
  const [often, last] = await rejected({}, weather);
  assert.equal(often, 3);
  assert.match(last, /^the primary stood down \(tried 3 times in \d+ s\)$/);
  assert.equal((await rejected({ patience: { attemptsMax: 99, totalMsMax: 10_000 } }, weather))[0] < 9, true);
  assert.deepEqual(await rejected({}, fact), [1, 'no such snapshot']);
  assert.deepEqual(await rejected({ worth: () => false }, weather), [1, 'the primary stood down']);
});

test('it is cancelled while it waits', async () => {
  const { clock, stop, phases, all } = setting();
  const running = throughWeather(all, async () => {
    throw weather();
  });
  running.catch(() => undefined);
  await settled();
  assert.equal(phases.length, 1);
  stop.abort(new Cancelled());
  const end = await ended(clock, running);
  assert.ok(end.status === 'rejected' && end.reason instanceof Cancelled);
});
