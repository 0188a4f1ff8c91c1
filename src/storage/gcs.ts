import { createHash } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';
import { assert } from '../lib/assert.ts';
import { messageOf } from '../lib/errors.ts';
import { collectBody } from './collect-body.ts';
import { type Attempt, problemOfStatus } from './remote-calls.ts';
import {
  ConditionFailed,
  type RemoteClient,
  type RemoteInfo,
  type RemotePage,
  WRITE_ID,
  type WriteOptions,
} from './remote-client.ts';
import { RemoteStore, type RemoteStoreOptions } from './remote-store.ts';
import type { StoreProblem } from './store-fault.ts';

/** A bucket of Google Cloud Storage. */
export interface GcsPlace {
  bucket: string;
  /** '' or `some/prefix`. */
  prefix: string;
  /** Google's where left out. */
  endpoint?: string | undefined;
  /**
   * The default chain (GOOGLE_APPLICATION_CREDENTIALS, the machine's service account) where left out; `anonymous` for
   * emulators.
   */
  credentials?: { keyFile: string } | 'anonymous' | undefined;
}

const ENDPOINT = 'https://storage.googleapis.com';
/** A token is asked for this; the role gives less. The first is for what federated identities do on their way. */
const SCOPES = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/devstorage.full_control',
];

export function openGcsStore(place: GcsPlace, options: RemoteStoreOptions = {}): RemoteStore {
  const description = `gs://${place.bucket}${place.prefix === '' ? '' : `/${place.prefix}`}${place.endpoint === undefined ? '' : ` at ${place.endpoint}`}`;
  return new RemoteStore(new GcsRemoteClient(place), { description, prefix: place.prefix }, options);
}

/**
 * Google's library signs in; the requests are this file's own, of the JSON API, because Google's client of its storage
 * has no way to cancel one.
 */
class GcsRemoteClient implements RemoteClient {
  readonly #bucket: string;
  readonly #endpoint: string;
  readonly #identity: GoogleAuth | null;

  constructor(place: GcsPlace) {
    this.#bucket = place.bucket;
    this.#endpoint = (place.endpoint ?? ENDPOINT).replace(/\/+$/, '');
    const { credentials } = place;
    this.#identity =
      credentials === 'anonymous'
        ? null
        : new GoogleAuth({
            scopes: SCOPES,
            ...(credentials === undefined ? {} : { keyFilename: credentials.keyFile }),
          });
  }

  async write(name: string, body: Uint8Array, { ifAbsent, writeId }: WriteOptions, attempt: Attempt): Promise<void> {
    const md5Hash = createHash('md5').update(body).digest('base64');
    const described = JSON.stringify({ name, md5Hash, metadata: { [WRITE_ID]: writeId } });
    const boundary = `tidemark-${writeId}`;
    const head =
      `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${described}\r\n` +
      `--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const parts = Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const condition = ifAbsent ? '&ifGenerationMatch=0' : '';
    const path = `/upload/storage/v1/b/${encodeURIComponent(this.#bucket)}/o?uploadType=multipart${condition}`;
    try {
      await this.#send(attempt, path, {
        method: 'POST',
        body: parts,
        headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      });
    } catch (error) {
      if (error instanceof GcsError && error.status === 412) throw new ConditionFailed();
      throw error;
    }
  }

  async read(name: string, attempt: Attempt): Promise<Buffer | null> {
    return await nullIfMissing(async () => {
      const url = await this.#request(attempt, `${this.#objectPath(name)}?alt=media`, {});
      attempt.progress();
      const length = url.headers.get('x-goog-stored-content-length') ?? url.headers.get('content-length');
      assert(length !== null && url.body !== null, 'the answer has a body and its length');
      return await collectBody(url.body as AsyncIterable<Uint8Array>, Number(length), attempt.progress);
    });
  }

  async look(name: string, attempt: Attempt): Promise<RemoteInfo | null> {
    return await nullIfMissing(async () => infoOf((await this.#send(attempt, this.#objectPath(name))) as GcsObject));
  }

  async page(
    prefix: string,
    from: { token: string | undefined; namesMax: number },
    attempt: Attempt,
  ): Promise<RemotePage> {
    const query = new URLSearchParams({ prefix, maxResults: `${from.namesMax}` });
    if (from.token !== undefined) query.set('pageToken', from.token);
    const path = `/storage/v1/b/${encodeURIComponent(this.#bucket)}/o?${query}`;
    const found = (await this.#send(attempt, path)) as { items?: GcsObject[]; nextPageToken?: string };
    const next = found.nextPageToken === '' ? undefined : found.nextPageToken;
    return { infos: (found.items ?? []).map(infoOf), next };
  }

  async remove(name: string, attempt: Attempt): Promise<void> {
    await nullIfMissing(async () => await this.#send(attempt, this.#objectPath(name), { method: 'DELETE' }));
  }

  async location(attempt: Attempt): Promise<string | null> {
    const path = `/storage/v1/b/${encodeURIComponent(this.#bucket)}?fields=location`;
    try {
      const { location } = (await this.#send(attempt, path)) as { location?: string };
      return location ?? null;
    } catch (error) {
      // Those who may only use the objects are not told.
      if (error instanceof GcsError && error.status === 403) return null;
      throw error;
    }
  }

  whyNoName(): null {
    return null;
  }

  problemOf(error: unknown): StoreProblem {
    if (error instanceof SignInFailed) return 'credentials';
    if (!(error instanceof GcsError)) return 'refused';
    // A missing object is no error, see nullIfMissing.
    if (error.status === 404) return 'noBucket';
    return problemOfStatus(error.status);
  }

  #objectPath(name: string): string {
    return `/storage/v1/b/${encodeURIComponent(this.#bucket)}/o/${encodeURIComponent(name)}`;
  }

  async #send(attempt: Attempt, path: string, init: RequestInit = {}): Promise<unknown> {
    const answer = await this.#request(attempt, path, init);
    const text = await answer.text();
    return text === '' ? null : JSON.parse(text);
  }

  async #request(attempt: Attempt, path: string, init: RequestInit): Promise<Response> {
    const url = this.#endpoint + path;
    const headers = new Headers(init.headers);
    for (const [name, value] of await this.#signature(url)) headers.set(name, value);
    const answer = await fetch(url, { ...init, headers, signal: attempt.signal });
    if (answer.ok) return answer;
    throw new GcsError(answer.status, await answer.text());
  }

  async #signature(url: string): Promise<Iterable<[string, string]>> {
    if (this.#identity === null) return [];
    try {
      return await this.#identity.getRequestHeaders(url);
    } catch (cause) {
      throw new SignInFailed(`signing in at Google Cloud failed: ${messageOf(cause)}`, { cause });
    }
  }
}

class SignInFailed extends Error {
  override readonly name = 'SignInFailed';
}

class GcsError extends Error {
  override readonly name = 'GcsError';
  readonly status: number;
  constructor(status: number, body: string) {
    super(`${messageIn(body)} (HTTP ${status})`);
    this.status = status;
  }
}

/** Errors are JSON with a message, or text where something in between answers. */
function messageIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: string } };
    if (error?.message !== undefined) return error.message;
  } catch {
    // Not JSON: as it is.
  }
  return body.slice(0, 200).trim();
}

interface GcsObject {
  name: string;
  size: string;
  updated: string;
  metadata?: Record<string, string>;
}

function infoOf({ name, size, updated, metadata }: GcsObject): RemoteInfo {
  return { name, sizeBytes: Number(size), modifiedAtMs: Date.parse(updated), writeId: metadata?.[WRITE_ID] ?? null };
}

async function nullIfMissing<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof GcsError && error.status === 404 && !/bucket/i.test(error.message)) return null;
    throw error;
  }
}
