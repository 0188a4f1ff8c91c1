import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthMechanism } from 'mongodb';
import driver from 'mongodb/lib/connection_string.js';
import { mechanismRules, ruleGroups, ruleOf } from './connection-options.ts';

test('every option that the installed driver knows is in the table, once', () => {
  const unknown = Object.keys(driver.OPTIONS).filter((option) => ruleOf(option) === undefined);
  assert.deepEqual(unknown, [], 'decide of each who may give it: src/mongo/connection/connection-options.ts');
  const names = ruleGroups.flatMap(({ options }) => options.map((option) => option.toLowerCase()));
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted());
});

test('every mechanism that the installed driver knows is in the table', () => {
  assert.deepEqual(Object.keys(mechanismRules).toSorted(), Object.values(AuthMechanism).toSorted());
});

test('whoever calls from elsewhere may say no more than the operator', () => {
  for (const { options, overHttp, onCommandLine } of ruleGroups) {
    if (overHttp === 'taken') assert.equal(onCommandLine, 'taken', options.join());
    if (onCommandLine === 'refused') assert.equal(overHttp, 'refused', options.join());
  }
});

test('by the API nothing is taken that is not listed here', () => {
  const taken = ruleGroups.filter(({ overHttp }) => overHttp === 'taken').flatMap(({ options }) => options);
  assert.deepEqual(taken.toSorted(), ['authMechanism', 'authSource', 'directConnection', 'replicaSet', 'ssl', 'tls']);
});
