/** Absolute links: clients print them and follow none, but people do. Pure. */

const relationBase = 'https://cloud.mongodb.com/';
const hostHeader = /^(?:([A-Za-z0-9.-]+)|\[([0-9A-Fa-f:.]+)\])(?::(\d{1,5}))?$/;

export interface Link {
  href: string;
  rel: string;
}

/**
 * Under what names this service is reached. A link is built from nothing else: what a stranger wrote into a header
 * never gets into one.
 */
export interface OwnNames {
  /** The configured URL, with or without a slash at its end. Where there is one, every link begins with it. */
  publicUrl?: string | undefined;
  scheme: 'http' | 'https';
  /** Host names under which it listens: they count with the port of the connection. */
  listenNames: readonly string[];
  /**
   * Names and addresses of its certificate, `*.example.com` for one label: they count with any port, since a proxy may
   * pass the connection on.
   */
  certificateNames: readonly string[];
}

/** The end of the connection that is ours; empty where a test asks without one. */
export interface OwnEnd {
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

/**
 * Where we are reached: the configured URL, else the client's Host where that is one of our names, else the address
 * that the client connected to.
 */
export function baseUrl(names: OwnNames, end: OwnEnd, host: string | undefined): string {
  if (names.publicUrl !== undefined) return names.publicUrl.replace(/\/+$/, '');
  if (host !== undefined && isOurs(names, end, host)) return `${names.scheme}://${host}`;
  const address = plainAddress(end.localAddress ?? 'localhost');
  const port = end.localPort === undefined || end.localPort === defaultPort(names) ? '' : `:${end.localPort}`;
  return `${names.scheme}://${address.includes(':') ? `[${address}]` : address}${port}`;
}

function isOurs(names: OwnNames, end: OwnEnd, host: string): boolean {
  const [, name, bracketed, port] = hostHeader.exec(host) ?? [];
  const asked = (name ?? bracketed)?.toLowerCase();
  if (asked === undefined) return false;
  if (names.certificateNames.some((known) => matchesName(known.toLowerCase(), asked))) return true;
  if (end.localPort !== undefined && Number(port ?? defaultPort(names)) !== end.localPort) return false;
  const address = plainAddress(end.localAddress ?? '127.0.0.1');
  if (asked === address || (asked === 'localhost' && isLoopback(address))) return true;
  return names.listenNames.some((known) => known.toLowerCase() === asked);
}

function defaultPort({ scheme }: OwnNames): number {
  return scheme === 'https' ? 443 : 80;
}

/** An IPv4 connection on a socket of both kinds has its address in IPv6's form. */
function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function matchesName(known: string, asked: string): boolean {
  if (known === asked) return true;
  const dot = asked.indexOf('.');
  return known.startsWith('*.') && dot > 0 && known.slice(1) === asked.slice(dot);
}

/** Atlas names relations by URLs of its own site; they are names, not places. */
export function relation(thing: string): string {
  return relationBase + thing;
}

export interface LinkBuilder {
  /** `path` below `/api/atlas/v2`, with its leading slash. */
  self(path: string): Link;
  to(thing: string, path: string): Link;
  /** A path from the root, for what lies beside the Atlas API. */
  at(path: string, rel: string): Link;
  /** Of the same, as text. */
  url(path: string): string;
}

export function linkBuilder(base: string): LinkBuilder {
  const v2 = `${base}/api/atlas/v2`;
  return {
    self: (path) => ({ href: v2 + path, rel: 'self' }),
    to: (thing, path) => ({ href: v2 + path, rel: relation(thing) }),
    at: (path, rel) => ({ href: base + path, rel }),
    url: (path) => base + path,
  };
}
