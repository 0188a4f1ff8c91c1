/**
 * The connection string for people: hosts, database and the options that hold no secret and help recognition. Null when
 * it is none. (Grammar: scheme, optional credentials up to the last `@` before the first `/`, hosts separated by
 * commas, optional `/database`, optional `?options`.)
 */
export function displayUri(uri: string): string | null {
  const match = /^(mongodb(?:\+srv)?:\/\/)([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(uri);
  const [, scheme, authority, database, options] = match ?? [];
  if (scheme === undefined || authority === undefined) return null;
  const hosts = authority.slice(authority.lastIndexOf('@') + 1);
  if (hosts === '' || hosts.split(',').some((host) => !/^(\[[0-9a-f:.]+\]|[^\s:@[\]]+)(:\d+)?$/i.test(host)))
    return null;
  const kept = (options ?? '').split('&').filter((option) => HARMLESS.has(option.split('=')[0] ?? ''));
  const path = database === undefined || database === '' ? '/' : `/${database}`;
  return `${scheme}${hosts}${path}${kept.length === 0 ? '' : `?${kept.join('&')}`}`;
}

const HARMLESS = new Set([
  'replicaSet',
  'tls',
  'ssl',
  'directConnection',
  'authSource',
  'authMechanism',
  'readPreference',
]);
