import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Refusal } from '../refusals/refusals.ts';
import {
  checkRequirements,
  mayDeleteUnderPolicy,
  type Requirements,
  raisedSchedule,
  requiredItems,
  shortcomings,
  weakening,
} from './compliance-rules.ts';
import { checkItems, frequencies, nominalDays, type PolicyItem } from './schedule-rules.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

const hourly = { frequencyType: 'hourly', retentionUnit: 'days' } as const;
const nothing: Requirements = {
  scheduledItems: [],
  onDemandItem: null,
  pitEnabled: false,
  restoreWindowDays: 0,
  encryptionAtRestEnabled: false,
  copyProtectionEnabled: false,
};

/** Valid by construction: each frequency at most once for hourly and daily, retention growing with rarity. */
const validItems: fc.Arbitrary<PolicyItem[]> = fc
  .record({
    present: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    more: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 5, maxLength: 5 }),
    hours: fc.constantFrom(1, 2, 4, 6, 8, 12),
    day: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ present, more, hours, day }) => {
    const least = [1, 1, 7, 31, 365];
    let days = 0;
    const items: PolicyItem[] = [];
    frequencies.forEach((frequencyType, index) => {
      if (present[index] !== true) return;
      days = Math.max(days, least[index] ?? 0) + (more[index] ?? 0);
      const frequencyInterval = frequencyType === 'hourly' ? hours : frequencyType === 'daily' ? 1 : day;
      items.push({
        id: `${frequencyType}-${hours}-${day}`,
        frequencyType,
        frequencyInterval,
        retentionUnit: 'days',
        retentionValue: days,
      });
    });
    return items;
  });

const terms = fc.record({ items: validItems, restoreWindowDays: fc.integer({ min: 1, max: 30 }) });
const requirements: fc.Arbitrary<Requirements> = fc
  .record({ scheduledItems: validItems, pitEnabled: fc.boolean(), restoreWindowDays: fc.integer({ min: 0, max: 30 }) })
  .map((made) => ({ ...nothing, ...made }));

test('a raised schedule meets the policy, is valid, lost nothing, and is not raised again', () => {
  fc.assert(
    fc.property(terms, requirements, (schedule, required) => {
      let made = 0;
      const raised = raisedSchedule(schedule, required, () => `new-${made++}`);
      assert.deepEqual(shortcomings(raised, required), []);
      checkItems(raised.items);
      for (const item of schedule.items) {
        const after = raised.items.find((each) => each.id === item.id);
        assert.ok(after !== undefined && nominalDays(after) >= nominalDays(item));
        assert.equal(after.frequencyType, item.frequencyType);
      }
      assert.ok(raised.restoreWindowDays >= schedule.restoreWindowDays);
      assert.deepEqual(
        raisedSchedule(raised, required, () => 'never'),
        raised,
      );
      if (shortcomings(schedule, required).length === 0)
        assert.deepEqual(new Set(raised.items), new Set(schedule.items));
    }),
    { numRuns: 1_000 },
  );
});

test('a policy that is replaced by a weaker one is held to; a raised one is not', () => {
  fc.assert(
    fc.property(requirements, requirements, (before, after) => {
      assert.equal(weakening(before, before), null);
      if (weakening(before, after) !== null) return;
      // What is not a weakening demands of any schedule at least what was demanded before.
      const meeting = raisedSchedule({ items: [], restoreWindowDays: 1 }, after, () => 'new');
      assert.deepEqual(shortcomings(meeting, before), []);
    }),
    { numRuns: 1_000 },
  );
});

test('each way to weaken a policy has its own refusal', () => {
  const item: PolicyItem = { ...hourly, id: 'h', frequencyInterval: 6, retentionValue: 7 };
  const onDemandItem = { id: 'o', frequencyInterval: 0, retentionUnit: 'weeks', retentionValue: 1 } as const;
  const strict: Requirements = {
    scheduledItems: [item],
    onDemandItem,
    pitEnabled: true,
    restoreWindowDays: 3,
    encryptionAtRestEnabled: true,
    copyProtectionEnabled: true,
  };
  const cases: [Partial<Requirements>, string][] = [
    [{ scheduledItems: [] }, 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY'],
    [
      { scheduledItems: [{ ...item, retentionValue: 6 }] },
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
    ],
    [
      { scheduledItems: [{ ...item, frequencyInterval: 8 }] },
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
    ],
    [{ onDemandItem: null }, 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY'],
    [
      { onDemandItem: { ...onDemandItem, retentionUnit: 'days' } },
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
    ],
    [{ pitEnabled: false }, 'CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY'],
    [{ restoreWindowDays: 2 }, 'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY'],
    [{ encryptionAtRestEnabled: false }, 'CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY'],
    [{ copyProtectionEnabled: false }, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID'],
  ];
  for (const [change, code] of cases) assert.equal(weakening(strict, { ...strict, ...change })?.code, code);
  const stricter = { ...strict, scheduledItems: [{ ...item, frequencyInterval: 4, retentionValue: 8 }] };
  assert.equal(weakening(strict, stricter), null);
});

test('requirements are checked like a schedule, but may be none', () => {
  checkRequirements(nothing);
  assert.deepEqual(
    requiredItems([], [], () => 'x'),
    [],
  );
  const item: PolicyItem = { ...hourly, id: 'h', frequencyInterval: 6, retentionValue: 7 };
  assert.throws(
    () => checkRequirements({ ...nothing, scheduledItems: [item], restoreWindowDays: 8 }),
    refused('BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID'),
  );
  assert.throws(
    () => checkRequirements({ ...nothing, scheduledItems: [{ ...item, frequencyInterval: 5 }] }),
    refused('INVALID_BACKUP_POLICY'),
  );
  const onDemandItem = { id: 'o', frequencyInterval: 0, retentionUnit: 'days', retentionValue: 0 } as const;
  assert.throws(
    () => checkRequirements({ ...nothing, onDemandItem }),
    refused('BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID'),
  );
  // Echoed ids are kept while they are known, and replaced where they are not.
  assert.deepEqual(
    requiredItems([item], [item], () => 'new'),
    [item],
  );
  assert.deepEqual(
    requiredItems([], [item], () => 'new'),
    [{ ...item, id: 'new' }],
  );
});

test('under a policy a snapshot can be deleted in its extra days only', () => {
  const snapshot = { status: 'completed', expiresAtMs: 100 * 86_400_000, frequencyType: 'weekly' };
  const extraRetention = [{ frequencyType: 'WEEKLY', retentionDays: 10 } as const];
  const may = (day: number, settings = extraRetention) =>
    mayDeleteUnderPolicy(snapshot, { nowMs: day * 86_400_000, extraRetention: settings });
  assert.deepEqual([may(89), may(90), may(99)], [false, true, true]);
  assert.equal(mayDeleteUnderPolicy(snapshot, { nowMs: 99 * 86_400_000, extraRetention: [] }), false);
  assert.equal(mayDeleteUnderPolicy({ ...snapshot, status: 'failed' }, { nowMs: 0, extraRetention: [] }), true);
});
