import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { AccessGuard, USE_WRITTEN_EVERY_MS } from './access-guard.ts';
import type { Caller } from './roles.ts';

const caller: Caller = { kind: 'apiKey', id: 'k', name: 'abcdefgh', organizationId: 'o', roles: [] };

function guardWith(blocks: string[], required = false) {
  const clock = new FakeClock();
  const uses: unknown[] = [];
  const store = {
    entriesOf: async () => blocks.map((cidrBlock) => ({ id: cidrBlock, cidrBlock })),
    isRequired: async () => required,
    noteUse: async (entryId: string, { requests, address }: { requests: number; address: string }) => {
      uses.push([entryId, requests, address]);
    },
  };
  return { guard: new AccessGuard({ store, clock }), clock, uses };
}

test('without a list from anywhere, unless the organization asks for lists; with one only from what is on it', async () => {
  const cases: [string[], boolean, string, boolean][] = [
    [[], false, '203.0.113.9', true],
    [[], true, '203.0.113.9', false],
    [['203.0.113.0/24'], false, '203.0.113.9', true],
    [['203.0.113.0/24'], true, '::ffff:203.0.113.9', true],
    [['203.0.113.0/24', '2001:db8::/32'], false, '2001:db8::7', true],
    [['203.0.113.0/24'], false, '203.0.114.9', false],
    [['203.0.113.0/24'], false, '::1', false],
    [['0.0.0.0/0'], false, 'not an address', false],
  ];
  for (const [blocks, required, address, admitted] of cases) {
    assert.equal(await guardWith(blocks, required).guard.admits(caller, address), admitted, `${blocks} ${address}`);
  }
});

test('uses are counted, and written once a minute', async () => {
  const { guard, clock, uses } = guardWith(['10.0.0.0/8']);
  for (let request = 0; request < 3; request++) await guard.admits(caller, '10.1.1.1');
  await guard.admits(caller, '11.1.1.1');
  await clock.advance(USE_WRITTEN_EVERY_MS);
  await guard.admits(caller, '10.2.2.2');
  assert.deepEqual(uses, [
    ['10.0.0.0/8', 1, '10.1.1.1'],
    ['10.0.0.0/8', 3, '10.2.2.2'],
  ]);
});
