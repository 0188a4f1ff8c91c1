import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import { findElement } from '../../bson/raw-bson.ts';
import { Fault } from '../../lib/errors.ts';
import { OrphansAtPoint, type OwnedAtPoint } from './orphans-at-point.ts';

const raw = (document: Document): Buffer => Buffer.from(BSON.serialize(document));

/** Owned is what has less than 10 in `x.y`, or nothing there. */
const byNumber: OwnedAtPoint = {
  namespace: 'app.a',
  key: [['x', 'y']],
  owns: (buffer, offset) => {
    const x = findElement(buffer, offset, 'x');
    const y = x === null ? null : findElement(buffer, x.start, 'y');
    return y === null || buffer.readInt32LE(y.start) < 10;
  },
};

const left = (orphans: OrphansAtPoint) =>
  [...orphans.found()].map(({ namespace, id }) => [namespace, BSON.deserialize(id)._id]);
const diff = (of: Document) => raw({ $v: 2, diff: of });

test('what is an orphan at the end is found, whatever it was on the way, and whatever an update is of', () => {
  const orphans = new OrphansAtPoint();
  const write = (op: 'i' | 'u' | 'd', o: Buffer, o2: Document | null = null) =>
    orphans.write({ op, o, o2: o2 === null ? null : raw(o2) }, byNumber);
  const inSnapshot = [1, 2, 3, 4].map((_id) => raw({ _id, x: { y: _id < 3 ? 1 : 20 } }));
  orphans.documents(Buffer.concat(inSnapshot), byNumber);
  assert.deepEqual(left(orphans), [
    ['app.a', 3],
    ['app.a', 4],
  ]);
  write('d', raw({ _id: 3 }));
  write('i', raw({ _id: 5, x: { y: 30 } }));
  // Of other fields, and of the key's neighbors.
  write('u', diff({ u: { a: 1 }, sx: { u: { z: 99 } } }), { _id: 1 });
  // Along the key, the document named by it.
  write('u', diff({ sx: { u: { y: 40 } } }), { 'x.y': 1, _id: 2 });
  write('u', diff({ sx: { u: { y: 2 } } }), { 'x.y': 20, _id: 4 });
  assert.deepEqual(left(orphans), [
    ['app.a', 5],
    ['app.a', 2],
  ]);
  write('u', raw({ _id: 5, x: { y: 3 } }), { _id: 5 });
  write('u', diff({ d: { x: false } }), { 'x.y': 40, _id: 2 });
  assert.deepEqual(left(orphans), []);
});

test('an update of a key that is told only in part is refused, unless it sets all of it', () => {
  const orphans = new OrphansAtPoint();
  const compound = { ...byNumber, key: [['x', 'y'], ['k']] };
  const o = diff({ u: { k: 3 } });
  assert.throws(
    () => orphans.write({ op: 'u', o, o2: raw({ _id: 1 }) }, compound),
    (error) => error instanceof Fault && /does not tell what x\.y was/.test(error.message),
  );
  const whole: OwnedAtPoint = { namespace: 'app.b', key: [['k']], owns: () => false };
  orphans.write({ op: 'u', o, o2: raw({ _id: 1 }) }, whole);
  assert.deepEqual(left(orphans), [['app.b', 1]]);
});

test('more orphans than can be kept in mind are a fault that says what to do', () => {
  const orphans = new OrphansAtPoint();
  const nobody: OwnedAtPoint = { namespace: 'app.a', key: [['k']], owns: () => false };
  assert.throws(
    () => {
      for (let n = 0; n < 40; n++) orphans.documents(raw({ _id: `${n}`.padEnd(1_000_000, 'x') }), nobody);
    },
    (error) => error instanceof Fault && /more orphans of app\.a/.test(error.message) && error.hint !== undefined,
  );
});
