/** Absolute links: clients print them and follow none, but people do. Pure. */

const relationBase = 'https://cloud.mongodb.com/';
const hostHeader = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/;

export interface Link {
  href: string;
  rel: string;
}

/** Where we are reached: the configured URL without a slash at its end, or else what the client itself wrote into Host. */
export function baseUrl(publicUrl: string | undefined, host: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
  return `http://${host !== undefined && hostHeader.test(host) ? host : 'localhost'}`;
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
