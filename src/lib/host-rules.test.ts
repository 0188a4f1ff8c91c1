import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from './assert.ts';
import { isAllowed, isForbiddenAddress, parseHostRule } from './host-rules.ts';

test('a rule is an address, a network, a name or all names below one', () => {
  assert.deepEqual(parseHostRule('10.1.2.3/8'), { network: '10.0.0.0/8' });
  assert.deepEqual(parseHostRule('10.1.2.3'), { network: '10.1.2.3/32' });
  assert.deepEqual(parseHostRule('DB.Example.com.'), { host: 'db.example.com' });
  assert.deepEqual(parseHostRule('*.db.example.com'), { below: '.db.example.com' });
  for (const text of ['', '*', '*.', 'a..b', '10.1.2', '300.1.1.1', 'a b', 'mongodb://a', '10.0.0.0/40', 'a:27017'])
    assert.equal(parseHostRule(text), null, text);
});

test('rules let through what they name', () => {
  const rules = ['10.0.0.0/8', 'db.example.com', '*.db.example.com', '2001:db8::/32'].map((text) =>
    must(parseHostRule(text), text),
  );
  const cases: [host: string, address: string, allowed: boolean][] = [
    ['10.1.2.3', '10.1.2.3', true],
    ['11.1.2.3', '11.1.2.3', false],
    ['::ffff:10.1.2.3', '::ffff:10.1.2.3', true],
    ['2001:db8::7', '2001:db8::7', true],
    ['db.example.com', '192.0.2.1', true],
    ['DB.example.com.', '192.0.2.1', true],
    ['a.db.example.com', '192.0.2.1', true],
    ['evil-db.example.com', '192.0.2.1', false],
    ['db.example.com.evil.org', '192.0.2.1', false],
    ['evil.org', '10.1.1.1', true],
    ['evil.org', '192.0.2.1', false],
  ];
  for (const [host, address, allowed] of cases) assert.equal(isAllowed(rules, host, address), allowed, host);
});

test('link-local and metadata addresses are forbidden in every form', () => {
  const forbidden = [
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    '::ffff:0:169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    'no address',
    '',
  ];
  for (const address of forbidden) assert.ok(isForbiddenAddress(address), address);
  const reachable = [
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '192.168.1.1',
    'fd00:ec2::253',
    '2001:db8::1',
    'fec0::1',
    '0.0.0.0',
  ];
  for (const address of reachable) assert.ok(!isForbiddenAddress(address), address);
});
