import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress, canonicalCidr, cidrHolds } from './cidr.ts';

test('networks and addresses have one form', () => {
  const cases: [string, string | null][] = [
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::ffff:10.1.2.3', '10.1.2.3/32'],
    ['2001:DB8:0:0::1', '2001:db8::1/128'],
    ['2001:db8:1:2:3:4:5:6/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3/128'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4/128'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7/128'],
    ['010.1.2.3', null],
    ['0x7f.1', null],
    ['10.1.2.3/33', null],
    ['10.1.2/8', null],
    ['10.1.2.3/8/9', null],
    ['10.1.2.3/', null],
    ['fe80::1%eth0', null],
    ['localhost', null],
    ['', null],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalCidr(text), expected, text);
  assert.equal(canonicalAddress('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(canonicalAddress('10.0.0.0/8'), null);
});

test('an IPv6 address is written as RFC 5952 says: the longest run of zeros is left out, the first of equal ones', () => {
  const group = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      if (groups.slice(0, 5).every((part) => part === 0)) return;
      const runs = [
        ...groups
          .map((part) => (part === 0 ? '0' : '-'))
          .join('')
          .matchAll(/0{2,}/g),
      ];
      const longest = runs.toSorted((a, b) => b[0].length - a[0].length || a.index - b.index)[0];
      const hex = groups.map((part) => part.toString(16));
      const expected =
        longest === undefined
          ? hex.join(':')
          : `${hex.slice(0, longest.index).join(':')}::${hex.slice(longest.index + longest[0].length).join(':')}`;
      assert.equal(canonicalAddress(hex.join(':')), expected);
    }),
  );
});

test('an address of one kind is in no network of the other', () => {
  assert.ok(cidrHolds('127.0.0.0/8', '::ffff:127.9.9.9'));
  assert.ok(!cidrHolds('0.0.0.0/0', '::1'));
  assert.ok(!cidrHolds('::/0', '127.0.0.1'));
});

test('a network holds exactly the addresses that begin as it does', () => {
  const kinds = [
    { bits: 32, each: 8, text: (groups: number[]) => groups.join('.') },
    { bits: 128, each: 16, text: (groups: number[]) => groups.map((group) => group.toString(16)).join(':') },
  ];
  for (const { bits, each, text } of kinds) {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(2 ** each - 1)), {
      minLength: bits / each,
      maxLength: bits / each,
    });
    const digits = (parts: number[]) => parts.map((part) => part.toString(2).padStart(each, '0')).join('');
    fc.assert(
      fc.property(groups, groups, fc.nat(bits), fc.nat(bits), (base, other, prefix, shared) => {
        // Half of it taken over, so that both answers come.
        const near = other.map((part, index) => (index < shared / each ? (base[index] ?? 0) : part));
        if (bits === 128 && [base, near].some((parts) => parts.slice(0, 5).every((part) => part === 0))) return;
        const canonical = canonicalCidr(`${text(base)}/${prefix}`) ?? '';
        assert.equal(canonicalCidr(canonical), canonical);
        const expected = digits(base).slice(0, prefix) === digits(near).slice(0, prefix);
        assert.equal(cidrHolds(canonical, text(near)), expected, `${canonical} ${text(near)}`);
        assert.ok(cidrHolds(canonical, canonicalAddress(text(base)) ?? ''));
      }),
    );
  }
});
