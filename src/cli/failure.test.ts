import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenName } from '../config.ts';
import { refuse } from '../domain/refusals/refusals.ts';
import { Bug } from '../lib/assert.ts';
import { Cancelled, CancelledHalfway, Damage, Fault, Misconfigured } from '../lib/errors.ts';
import { describeFailure, reportFailure } from './failure.ts';
import { RecordingTerminal } from './recording-terminal.ts';
import { UsageError } from './usage-error.ts';

const fault = { op: 'connect', subject: 'rs0', message: 'cannot reach rs0', hint: 'Check the host names' };

test('every kind of error has its exit code', () => {
  const codes = [
    new Fault(fault),
    new UsageError('say where'),
    refuse('CLUSTER_NOT_FOUND', ['Shop', 'g']),
    new Damage(fault),
    new Bug('two and two'),
    new Cancelled(),
    new Misconfigured(fault),
    new CancelledHalfway('the target is incomplete'),
    Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }),
    'a string',
  ].map((error) => describeFailure(error).exitCode);
  assert.deepEqual(codes, [1, 2, 3, 4, 70, 130, 2, 130, 1, 1]);
});

test('a person gets one sentence and what to do next', () => {
  const terminal = new RecordingTerminal();
  assert.equal(reportFailure(new Fault(fault), terminal, false), 1);
  assert.deepEqual(terminal.errors, ['tidemark: cannot reach rs0. Check the host names\n']);
});

test('an option that cannot be used is said by the name under which it was given', () => {
  const error = new Misconfigured({ option: 'port', subject: 'port', message: '99999 is too much', hint: 'Take less' });
  const named = (env: Record<string, string>, given = {}) =>
    describeFailure(error, (option) => givenName(option, env, given)).message;
  assert.equal(named({}, { port: 99_999 }), '--port: 99999 is too much. Take less');
  assert.equal(named({ TIDEMARK_PORT: '1' }, { port: 99_999 }), '--port: 99999 is too much. Take less');
  assert.equal(named({ TIDEMARK_PORT: '99999' }), 'TIDEMARK_PORT: 99999 is too much. Take less');
  assert.equal(named({}), '99999 is too much. Take less');
  // What commander took from the variable stands among the options too.
  assert.equal(givenName('dataDir', { TIDEMARK_DATA_DIR: '/a' }, { dataDir: '/a' }), 'TIDEMARK_DATA_DIR');
  assert.equal(givenName('copyStores', {}, { copyStore: ['x'] }), '--copy-store');
  assert.equal(givenName('repository', {}, { from: 's3:' }, '--from'), '--from');
});

test('damage names the object and the next step', () => {
  const bare = describeFailure(new Damage({ op: 'read', subject: 'blobs/a/b', message: 'it does not decompress' }));
  assert.equal(bare.message, 'it does not decompress (blobs/a/b)');
  assert.match(bare.hint ?? '', /^Run `tidemark repository check --read-data`/);
  const known = describeFailure(new Damage({ ...fault, subject: 'rs0' }));
  assert.deepEqual([known.message, known.hint], ['cannot reach rs0', 'Check the host names']);
});

test('a cancel that left something behind says what', () => {
  assert.equal(describeFailure(new CancelledHalfway('the target is incomplete')).message, 'the target is incomplete');
  assert.equal(describeFailure(new Cancelled('on request')).message, 'cancelled');
});

test('a script gets one JSON line on standard error and nothing on standard output', () => {
  const terminal = new RecordingTerminal();
  reportFailure(refuse('CLUSTER_NOT_FOUND', ['Shop', 'g']), terminal, true);
  assert.deepEqual(terminal.printed, []);
  assert.equal(terminal.errors.length, 1);
  const { error } = JSON.parse(terminal.errors[0] ?? '') as { error: Record<string, string> };
  assert.equal(error.errorCode, 'CLUSTER_NOT_FOUND');
  assert.equal(error.message, 'No cluster named Shop exists in project g.');
  assert.match(error.hint ?? '', /register/);
});

test('an error of the system is shown by its message, an unexpected one with its stack', () => {
  const expected = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  assert.equal(describeFailure(expected).message, 'ENOSPC: no space left');
  assert.match(describeFailure(new TypeError('x is not a function')).message, /failure\.test\.ts/);
});
