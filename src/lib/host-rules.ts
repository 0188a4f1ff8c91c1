import { isIP } from 'node:net';
import { canonicalAddress, canonicalCidr, cidrHolds } from './cidr.ts';

/** Where clusters may be: a network, one host by name, or every name below a domain. Pure. */
export type HostRule = { network: string } | { host: string } | { below: string };

/** Of `10.0.0.0/8`, `10.1.2.3`, `db.example.com` or `*.db.example.com`; null for what is none of them. */
export function parseHostRule(text: string): HostRule | null {
  const network = canonicalCidr(text);
  if (network !== null) return { network };
  const [, star, name] =
    /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*)\.?$/i.exec(text) ?? [];
  if (name === undefined || /^[\d.]+$/.test(name)) return null;
  return star === undefined ? { host: name.toLowerCase() } : { below: `.${name.toLowerCase()}` };
}

/**
 * Whether a rule lets a connection to this address of this host through. Names count as they are asked for, whatever
 * they resolve to; what nobody may reach is told by `isForbiddenAddress`.
 */
export function isAllowed(rules: readonly HostRule[], host: string, address: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const named = isIP(name) === 0;
  return rules.some((rule) => {
    if ('network' in rule) return cidrHolds(rule.network, address);
    return named && ('host' in rule ? rule.host === name : name.endsWith(rule.below));
  });
}

/**
 * Where clouds tell a machine its own secrets, and addresses that mean something to this machine alone. (AWS, Google
 * and most others use link-local; the others are Alibaba's, Oracle's and Azure's, and the IPv6 ones of AWS and Google.)
 */
const FORBIDDEN = [
  '169.254.0.0/16',
  'fe80::/10',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
];

/**
 * IPv6 networks that stand for an IPv4 address, and the group at which that begins. (RFC 6052, RFC 8215, RFC 6145, RFC
 * 3056, RFC 4291.)
 */
const EMBEDDING: readonly [network: string, firstGroup: number][] = [
  ['64:ff9b::/96', 6],
  ['64:ff9b:1::/48', 6],
  ['::ffff:0:0:0/96', 6],
  ['2002::/16', 1],
  ['::/96', 6],
];

/** Whether nobody may make this process connect there, whatever the rules say. What is no address is forbidden too. */
export function isForbiddenAddress(text: string): boolean {
  const address = canonicalAddress(text.split('%')[0] ?? '');
  if (address === null) return true;
  if (FORBIDDEN.some((network) => cidrHolds(network, address))) return true;
  return embeddedAddresses(address).some((inner) => FORBIDDEN.some((network) => cidrHolds(network, inner)));
}

function embeddedAddresses(address: string): string[] {
  if (!address.includes(':')) return [];
  return EMBEDDING.filter(([network]) => cidrHolds(network, address)).map(([, first]) => {
    const [high = 0, low = 0] = groupsOf(address).slice(first, first + 2);
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  });
}

function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const left = numbers(head);
  const right = tail === undefined ? [] : numbers(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
