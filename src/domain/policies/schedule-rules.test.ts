import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Refusal } from '../refusals/refusals.ts';
import {
  checkItems,
  checkReferenceTime,
  checkRestoreWindow,
  defaultItems,
  frequencies,
  itemsOfPolicy,
  keptUntilMs,
  longestKept,
  type PolicyItem,
  type PolicyItemRequest,
  replaceItems,
} from './schedule-rules.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const text = /^(\w+) (\d+) keep (\d+) (\w+)$/;

/** `weekly 6 keep 4 weeks`. */
function item(words: string, id = words): PolicyItem {
  const [, frequencyType, interval, value, retentionUnit] = text.exec(words) ?? [];
  return {
    id,
    frequencyType,
    frequencyInterval: Number(interval),
    retentionValue: Number(value),
    retentionUnit,
  } as PolicyItem;
}

test('the schedule of a new cluster is one that is accepted', () => {
  checkItems(defaultItems.map((rest, index) => ({ ...rest, id: `${index}` })));
});

test('items that are refused, and why', () => {
  const cases: [string, ...string[]][] = [
    ['INVALID_BACKUP_POLICY', 'hourly 3 keep 7 days'],
    ['INVALID_BACKUP_POLICY', 'hourly 24 keep 7 days'],
    ['INVALID_BACKUP_POLICY', 'daily 2 keep 7 days'],
    ['INVALID_BACKUP_POLICY', 'weekly 8 keep 7 days'],
    ['INVALID_BACKUP_POLICY', 'monthly 29 keep 2 months'],
    ['INVALID_BACKUP_POLICY', 'yearly 13 keep 2 years'],
    ['INVALID_BACKUP_POLICY', 'weekly 1 keep 6 days'],
    ['INVALID_BACKUP_POLICY', 'monthly 1 keep 4 weeks'],
    ['INVALID_BACKUP_POLICY', 'monthly 1 keep 30 days'],
    ['INVALID_BACKUP_POLICY', 'yearly 1 keep 52 weeks'],
    ['INVALID_BACKUP_POLICY', 'hourly 6 keep 7 days', 'hourly 12 keep 7 days'],
    ['INVALID_BACKUP_POLICY', 'daily 1 keep 7 days', 'daily 1 keep 8 days'],
    ['INVALID_BACKUP_POLICY', 'hourly 6 keep 8 days', 'daily 1 keep 7 days'],
    ['INVALID_BACKUP_POLICY', 'weekly 1 keep 5 weeks', 'daily 1 keep 36 days'],
    ['INVALID_BACKUP_POLICY', 'monthly 1 keep 13 months', 'yearly 1 keep 1 years'],
    ['BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', 'daily 1 keep 0 days'],
    ['BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', 'daily 1 keep 999999 days'],
  ];
  for (const [code, ...words] of cases)
    assert.throws(() => checkItems(words.map((each) => item(each))), refused(code), words.join(', '));
});

test('items that are accepted', () => {
  for (const words of [
    ['weekly 1 keep 2 weeks', 'weekly 4 keep 5 weeks', 'monthly 1 keep 3 months', 'monthly 40 keep 4 months'],
    ['daily 1 keep 31 days', 'monthly 1 keep 1 months'],
    ['monthly 1 keep 5 weeks'],
    ['monthly 2 keep 12 months', 'yearly 1 keep 1 years'],
    ['yearly 1 keep 365 days'],
  ])
    checkItems(words.map((each) => item(each)));
});

test('a list replaces the items: known ones keep their id, others are new, the rest is gone', () => {
  const current = [item('hourly 6 keep 7 days', 'h'), item('weekly 6 keep 4 weeks', 'w')];
  const without = ({ id: _, ...rest }: PolicyItem): PolicyItemRequest => rest;
  const daily = without(item('daily 1 keep 9 days'));
  const changed = replaceItems(current, [{ ...item('weekly 2 keep 3 weeks'), id: 'w' }, daily], () => 'new');
  assert.deepEqual(changed, [item('weekly 2 keep 3 weeks', 'w'), item('daily 1 keep 9 days', 'new')]);
  const attempt =
    (...items: PolicyItemRequest[]) =>
    () =>
      replaceItems(current, items, () => 'new');
  assert.throws(attempt(), refused('INVALID_NUM_OF_POLICY_ITEMS'));
  assert.throws(attempt({ ...daily, id: 'x' }), refused('INVALID_POLICY_ITEM_ID'));
  assert.throws(
    attempt(item('weekly 2 keep 3 weeks', 'w'), item('weekly 3 keep 3 weeks', 'w')),
    refused('INVALID_POLICY_ITEM_ID'),
  );
  assert.throws(attempt({ ...daily, id: 'w' }), refused('INVALID_FREQUENCY_TYPE_CHANGE'));
  for (const name of ['frequencyType', 'frequencyInterval', 'retentionUnit', 'retentionValue'])
    assert.throws(attempt({ ...daily, [name]: undefined }), refused('MISSING_POLICY_ITEM_PARAMETERS'));
  assert.throws(attempt({ ...daily, frequencyType: 'ondemand' }), refused('INVALID_BACKUP_POLICY'));
});

test('there is one policy, and its id stays', () => {
  assert.deepEqual(itemsOfPolicy([{ policyItems: [] }], 'p'), []);
  assert.deepEqual(itemsOfPolicy([{ id: 'p', policyItems: [{ id: 'i' }] }], 'p'), [{ id: 'i' }]);
  assert.throws(() => itemsOfPolicy([], 'p'), refused('INVALID_NUM_OF_POLICIES'));
  const twice = [{ policyItems: [] }, { policyItems: [] }];
  assert.throws(() => itemsOfPolicy(twice, 'p'), refused('INVALID_NUM_OF_POLICIES'));
  assert.throws(() => itemsOfPolicy([{ id: 'q', policyItems: [] }], 'p'), refused('INVALID_POLICY_ID'));
});

test('of several that are due the longest kept counts, by the calendar of that day', () => {
  const february = Date.parse('2027-02-10T00:00:00Z');
  const monthly = item('monthly 10 keep 1 months');
  assert.equal(longestKept([item('daily 1 keep 29 days'), monthly], february).frequencyType, 'daily');
  assert.equal(longestKept([item('daily 1 keep 27 days'), monthly], february).frequencyType, 'monthly');
  const equal = [item('daily 1 keep 7 days'), item('weekly 3 keep 1 weeks'), item('hourly 6 keep 7 days')];
  assert.equal(longestKept(equal, february).frequencyType, 'weekly');
});

const retention = fc.record({
  retentionUnit: fc.constantFrom('days', 'weeks', 'months', 'years'),
  retentionValue: fc.integer({ min: 1, max: 100 }),
});

test('the longest kept is kept at least as long as each, whatever their order', () => {
  const items = fc.array(fc.record({ frequencyType: fc.constantFrom(...frequencies), retention }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(items, fc.integer({ min: 0, max: 4e12 }), (made, fromMs) => {
      const all = made.map(
        ({ frequencyType, retention: kept }, index) =>
          ({ id: `${index}`, frequencyType, frequencyInterval: 1, ...kept }) as PolicyItem,
      );
      const longest = longestKept(all, fromMs);
      for (const each of all) assert.ok(keptUntilMs(fromMs, longest) >= keptUntilMs(fromMs, each));
      const reversed = longestKept(all.toReversed(), fromMs);
      assert.equal(keptUntilMs(fromMs, reversed), keptUntilMs(fromMs, longest));
      assert.equal(reversed.frequencyType, longest.frequencyType);
    }),
  );
});

test('kept longer never ends sooner, and what begins later never ends earlier', () => {
  fc.assert(
    fc.property(
      retention,
      fc.integer({ min: 0, max: 4e12 }),
      fc.integer({ min: 0, max: 1e10 }),
      (kept, fromMs, laterMs) => {
        const of = kept as Parameters<typeof keptUntilMs>[1];
        assert.ok(keptUntilMs(fromMs, of) > fromMs);
        assert.ok(keptUntilMs(fromMs, { ...of, retentionValue: of.retentionValue + 1 }) > keptUntilMs(fromMs, of));
        // The last days of a month may end together, at the end of a shorter one: never the wrong way round by more
        // than that day.
        assert.ok(keptUntilMs(fromMs + laterMs, of) > keptUntilMs(fromMs, of) - 86_400_000);
      },
    ),
  );
});

test('the restore window binds where history is kept', () => {
  const items = [item('hourly 6 keep 4 days')];
  checkRestoreWindow(99, { items, pitEnabled: false });
  checkRestoreWindow(99, { items: [], pitEnabled: false });
  checkRestoreWindow(4, { items, pitEnabled: true });
  assert.throws(
    () => checkRestoreWindow(99, { items, pitEnabled: true }),
    /retention cannot be less than restore window/,
  );
  checkRestoreWindow(1, { items: [], pitEnabled: true });
  const daily = [item('daily 1 keep 9 days')];
  assert.throws(() => checkRestoreWindow(1, { items: daily, pitEnabled: true }), refused('INVALID_BACKUP_POLICY'));
  for (const days of [0, -1, 1.5])
    assert.throws(() => checkRestoreWindow(days, { items, pitEnabled: false }), refused('INVALID_RESTORE_WINDOW'));
});

test('the reference time comes whole', () => {
  checkReferenceTime(undefined, undefined);
  checkReferenceTime(0, 0);
  checkReferenceTime(23, 59);
  assert.throws(() => checkReferenceTime(24, 0), refused('INVALID_REFERENCE_HOUR_OF_DAY'));
  assert.throws(() => checkReferenceTime(0, 60), refused('INVALID_REFERENCE_MINUTE_OF_HOUR'));
  assert.throws(() => checkReferenceTime(5, undefined), refused('INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS'));
  assert.throws(() => checkReferenceTime(undefined, 5), refused('INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS'));
});
