import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoServerError } from 'mongodb';
import { Fault } from '../lib/errors.ts';
import { asFault, refusalOf } from './errors.ts';

const refused = (code: number) => new MongoServerError({ message: 'refused', code });

test('blocked writes of users are no refusal of one object, and what to do is said', () => {
  assert.equal(refusalOf(refused(371)), null);
  assert.equal(refusalOf(refused(67)), 'refused', 'an index that cannot be made is one');
  const fault = asFault(refused(371), 'create', 'd.c');
  assert.ok(fault instanceof Fault);
  assert.match(fault.hint ?? '', /setUserWriteBlockMode.*`restore`/);
});
