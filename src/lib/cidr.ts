import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Networks and addresses of both kinds, each in one written form (IPv6 by RFC 5952). Pure. */
type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [address: Address, prefix: number];

/**
 * An IPv4 address inside an IPv6 one, as a socket that serves both reports it, is that IPv4 address. Node says what an
 * address is: the library would take octal, hexadecimal and shortened forms, which other programs read otherwise.
 */
function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  if (!isIPv6(text) || text.includes('%')) return null;
  return ipaddr.process(text);
}

/** As it is given: the address may have bits behind the prefix. */
function parseNetwork(text: string): Network | null {
  const [address = '', prefixText, ...more] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === null || more.length > 0) return null;
  const bits = bitsOf(parsed);
  const prefix = prefixText === undefined ? bits : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  return prefix < 0 || prefix > bits ? null : [parsed, prefix];
}

function bitsOf(address: Address): 32 | 128 {
  return address.kind() === 'ipv4' ? 32 : 128;
}

function written(address: Address): string {
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

/** `10.1.2.3/8` is `10.0.0.0/8`, an address the network of itself alone; null for what is neither. */
export function canonicalCidr(text: string): string | null {
  const network = parseNetwork(text);
  if (network === null) return null;
  const [address, prefix] = network;
  const given = `${address.toString()}/${prefix}`;
  const first =
    address.kind() === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(given) : ipaddr.IPv6.networkAddressFromCIDR(given);
  return `${written(first)}/${prefix}`;
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
  if (network === null || parsed === null || network[0].kind() !== parsed.kind()) return false;
  return parsed.match(network);
}
