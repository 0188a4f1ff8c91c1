import { isIPv4, isIPv6 } from 'node:net';

/** Networks and addresses of both kinds, as numbers. Pure. */
interface Network {
  bits: 32 | 128;
  address: bigint;
  prefix: number;
}

/** An IPv4 address inside an IPv6 one, as a socket that serves both reports it, is that IPv4 address. */
function parseAddress(text: string): Pick<Network, 'bits' | 'address'> | null {
  if (isIPv4(text)) return { bits: 32, address: ipv4(text) };
  if (!isIPv6(text) || text.includes('%')) return null;
  const address = ipv6(text);
  return address >> 32n === 0xffffn ? { bits: 32, address: address & 0xffff_ffffn } : { bits: 128, address };
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted === null ? 0n : ipv4(dotted[2] ?? '');
  const hex = dotted === null ? text : `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = '', rest] = hex.split('::');
  const groupsOf = (part: string) => (part === '' ? [] : part.split(':'));
  const left = groupsOf(head);
  const right = rest === undefined ? [] : groupsOf(rest);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}

function parseNetwork(text: string): Network | null {
  const [address = '', prefixText, ...more] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === null || more.length > 0) return null;
  const prefix = prefixText === undefined ? parsed.bits : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  if (prefix < 0 || prefix > parsed.bits) return null;
  const hostBits = BigInt(parsed.bits - prefix);
  return { bits: parsed.bits, address: (parsed.address >> hostBits) << hostBits, prefix };
}

function written({ bits, address }: Pick<Network, 'bits' | 'address'>): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((address >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  );
  return groups
    .join(':')
    .replace(/\b0(?::0\b)+/, ':')
    .replace(/^:(?!:)|(?<!:):$/g, '::')
    .replace(/:{3,}/g, '::');
}

/** `10.1.2.3/8` is `10.0.0.0/8`, an address the network of itself alone; null for what is neither. */
export function canonicalCidr(text: string): string | null {
  const network = parseNetwork(text);
  return network === null ? null : `${written(network)}/${network.prefix}`;
}

/** The address as it is written everywhere else; null for what is none. */
export function canonicalAddress(text: string): string | null {
  const parsed = parseAddress(text);
  return parsed === null ? null : written(parsed);
}

/** Whether the address lies in the network. */
export function cidrHolds(cidrBlock: string, address: string): boolean {
  const network = parseNetwork(cidrBlock);
  const parsed = parseAddress(address);
  if (network === null || parsed === null || network.bits !== parsed.bits) return false;
  const hostBits = BigInt(network.bits - network.prefix);
  return parsed.address >> hostBits === network.address >> hostBits;
}
