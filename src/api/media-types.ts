import type { ResourceVersion } from '../../contract/operation.ts';

/** Atlas versions resources by media type: `application/vnd.atlas.2024-08-05+json`. Pure. */

const vendorType = /^application\/vnd\.atlas\.(\d{4}-\d{2}-\d{2})\+json$/i;
const anyVendorType = /^application\/vnd\.atlas\./i;

/** The media type without its parameters. */
function bare(mediaType: string): string {
  return (mediaType.split(';')[0] ?? '').trim();
}

/** Midnight UTC of a date that exists; null for 2023-02-30. */
export function dateMs(date: string): number | null {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date ? null : ms;
}

/**
 * The version that a client pinned to `date` gets: the newest that is not younger. Any date counts, not only release
 * dates: the reference pages themselves ask with dates on which only other resources changed. Null for a date that does
 * not exist, lies in the future, or is before the first version.
 */
export function versionOn(versions: readonly ResourceVersion[], date: string, nowMs: number): ResourceVersion | null {
  const wantedMs = dateMs(date);
  if (wantedMs === null || wantedMs > nowMs) return null;
  return versions.findLast((version) => version.date <= date) ?? null;
}

/**
 * The version for an Accept header, or null when it names none: a missing or plain `application/json` one is not
 * enough.
 */
export function negotiate(
  versions: readonly ResourceVersion[],
  accept: string | undefined,
  nowMs: number,
): ResourceVersion | null {
  for (const mediaType of (accept ?? '').split(',')) {
    const date = vendorType.exec(bare(mediaType))?.[1];
    if (date !== undefined) return versionOn(versions, date, nowMs);
  }
  return null;
}

export type BodyType = { version: ResourceVersion } | 'unsupported' | 'badVersion';

/**
 * In which version a request body is written. Hand-written requests send plain JSON, or nothing, beside a versioned
 * Accept header; then `accepted` counts.
 */
export function bodyType(
  versions: readonly ResourceVersion[],
  contentType: string | undefined,
  accepted: ResourceVersion,
  nowMs: number,
): BodyType {
  const type = bare(contentType ?? '');
  if (type === '' || type.toLowerCase() === 'application/json') return { version: accepted };
  const date = vendorType.exec(type)?.[1];
  if (date === undefined) return anyVendorType.test(type) ? 'badVersion' : 'unsupported';
  const version = versionOn(versions, date, nowMs);
  return version === null ? 'badVersion' : { version };
}

export function contentTypeOf(version: ResourceVersion): string {
  return `application/vnd.atlas.${version.date}+json;charset=utf-8`;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Mon, 5 Aug 2024 00:00:00 GMT`: as Atlas writes it, the day not padded. */
export function headerDate(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  return `${weekdays[day.getUTCDay()]}, ${day.getUTCDate()} ${months[day.getUTCMonth()]} ${day.getUTCFullYear()} 00:00:00 GMT`;
}

/**
 * A superseded version says since when and until when; so does one that was deprecated without a successor. Errors
 * carry these too.
 */
export function deprecationHeaders(
  versions: readonly ResourceVersion[],
  version: ResourceVersion,
): Record<string, string> {
  const since = versions[versions.indexOf(version) + 1]?.date ?? version.deprecated;
  return {
    ...(since === undefined ? {} : { Deprecation: headerDate(since) }),
    ...(version.sunset === undefined ? {} : { Sunset: headerDate(version.sunset) }),
  };
}
