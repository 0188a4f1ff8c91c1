import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Misconfigured } from '../lib/errors.ts';
import { isValidObjectKey } from './object-store.ts';
import type { Provider } from './store-rules.ts';

/** Where a repository is, as a URL says it; without anything secret. */
export type StorePlace =
  | { kind: 'directory'; path: string }
  | { kind: 's3'; bucket: string; prefix: string; endpoint?: string; region?: string; pathStyle?: boolean }
  | { kind: 'azure'; account: string; container: string; prefix: string; endpoint?: string }
  | { kind: 'gcs'; bucket: string; prefix: string; endpoint?: string };

/** In the words of an API that knows three clouds: whatever speaks S3 counts as AWS. Null of a directory. */
export function providerOf({ kind }: StorePlace): Provider | null {
  return PROVIDERS[kind];
}

const PROVIDERS = { directory: null, s3: 'AWS', azure: 'AZURE', gcs: 'GCP' } as const;

const FORMS =
  'a directory, file:///directory, s3://bucket/prefix, azure://account/container/prefix or gs://bucket/prefix, the last three with ?endpoint=https://host where it is not the cloud’s own, and s3 with &region= and &pathStyle=true|false';

/**
 * What stands behind `://` is a place, everything else is the path of a directory. Throws Misconfigured, which
 * shows the forms there are.
 */
export function parseStoreUrl(text: string, option: 'repository' | 'copyStores' = 'repository'): StorePlace {
  try {
    return placeOf(text);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    const message = `${error.shown} cannot be used as the place of a repository: ${error.message}`;
    throw new Misconfigured({ option, subject: error.shown, message, hint: `It is ${FORMS}` });
  }
}

function placeOf(text: string): StorePlace {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'directory', path: resolve(text) };
  if (!URL.canParse(text)) throw new Unusable(text, 'it is no URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw new Unusable('the given URL', 'credentials do not belong into it');
  switch (url.protocol) {
    case 'file:':
      return directoryOf(text, url);
    case 's3:':
      return s3Of(text, url);
    case 'azure:':
      return azureOf(text, url);
    case 'gs:':
      return { kind: 'gcs', ...bucketOf(text, url), ...optionsOf(text, url, ['endpoint']) };
    default:
      throw new Unusable(text, `${url.protocol}// is none of those there are`);
  }
}

function directoryOf(text: string, url: URL): StorePlace {
  if (url.host !== '') throw new Unusable(text, 'a file URL has three slashes');
  const path = fileURLToPath(url);
  if (!isAbsolute(path)) throw new Unusable(text, 'its path is not absolute');
  return { kind: 'directory', path };
}

function s3Of(text: string, url: URL): StorePlace {
  const { pathStyle, ...options } = optionsOf(text, url, ['endpoint', 'region', 'pathStyle']);
  if (pathStyle !== undefined && pathStyle !== 'true' && pathStyle !== 'false')
    throw new Unusable(text, 'pathStyle is true or false');
  const style = pathStyle === undefined ? {} : { pathStyle: pathStyle === 'true' };
  return { kind: 's3', ...bucketOf(text, url), ...options, ...style };
}

function azureOf(text: string, url: URL): StorePlace {
  const [container, ...rest] = url.pathname.split('/').filter((part) => part !== '');
  if (url.host === '' || container === undefined) throw new Unusable(text, 'it names no account and container');
  const prefix = prefixOf(text, rest);
  return { kind: 'azure', account: url.host, container, prefix, ...optionsOf(text, url, ['endpoint']) };
}

function bucketOf(text: string, url: URL): { bucket: string; prefix: string } {
  if (url.host === '') throw new Unusable(text, 'it names no bucket');
  const segments = url.pathname.split('/').filter((part) => part !== '');
  return { bucket: url.host, prefix: prefixOf(text, segments) };
}

function prefixOf(text: string, segments: readonly string[]): string {
  const prefix = segments.map(decodeURIComponent).join('/');
  if (prefix !== '' && !isValidObjectKey(prefix))
    throw new Unusable(text, 'a prefix is made of letters, digits, dots, hyphens, underscores and slashes');
  return prefix;
}

type Option = 'endpoint' | 'region' | 'pathStyle';

function optionsOf<Known extends Option>(text: string, url: URL, known: readonly Known[]): { [K in Known]?: string } {
  if (url.hash !== '') throw new Unusable(text, 'it has a part behind #');
  const options: { [K in Known]?: string } = {};
  for (const [name, value] of url.searchParams) {
    const option = known.find((each) => each === name);
    if (option === undefined) throw new Unusable(text, `it takes no ${name}`);
    if (option === 'endpoint' && (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)))
      throw new Unusable(text, 'its endpoint is not an http:// or https:// URL');
    options[option] = value;
  }
  return options;
}

/** Why a text is no place; `shown` is the text, unless it holds what is not to be repeated. */
class Unusable extends Error {
  readonly shown: string;

  constructor(shown: string, why: string) {
    super(why);
    this.shown = shown;
  }
}
