import { createHash } from 'node:crypto';
import { ClientSecretCredential, DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { AnonymousCredential, ContainerClient, RestError, StorageSharedKeyCredential } from '@azure/storage-blob';
import { must } from '../lib/assert.ts';
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

/** A container of Azure Blob Storage. */
export interface AzurePlace {
  account: string;
  container: string;
  /** '' or `some/prefix`. */
  prefix: string;
  /** `https://<account>.blob.core.windows.net` where left out. */
  endpoint?: string | undefined;
  /** The default chain (environment, workload or managed identity, signed-in tools) where left out. */
  credentials?: AzureCredentials | undefined;
}

export type AzureCredentials =
  | { accountKey: string }
  | { sasToken: string }
  | { tenantId: string; clientId: string; clientSecret: string };

const SINGLE_PUT_BYTES_MAX = 64 * 1024 * 1024;
const PART_BYTES = 8 * 1024 * 1024;

export function openAzureStore(place: AzurePlace, options: RemoteStoreOptions & { singlePutBytesMax?: number } = {}) {
  const { account, container, prefix } = place;
  const description = `azure://${account}/${container}${prefix === '' ? '' : `/${prefix}`}${place.endpoint === undefined ? '' : ` at ${place.endpoint}`}`;
  const client = new AzureRemoteClient(place, options.singlePutBytesMax ?? SINGLE_PUT_BYTES_MAX);
  return new RemoteStore(client, { description, prefix }, options);
}

class AzureRemoteClient implements RemoteClient {
  readonly #container: ContainerClient;
  readonly #singlePutBytesMax: number;

  constructor(place: AzurePlace, singlePutBytesMax: number) {
    this.#container = containerClientOf(place);
    this.#singlePutBytesMax = singlePutBytesMax;
  }

  async write(name: string, body: Uint8Array, { ifAbsent, writeId }: WriteOptions, attempt: Attempt): Promise<void> {
    try {
      // Blocks become the blob when their list is committed, all at once.
      await this.#container.getBlockBlobClient(name).uploadData(body, {
        abortSignal: attempt.signal,
        maxSingleShotSize: this.#singlePutBytesMax,
        blockSize: PART_BYTES,
        concurrency: 1,
        onProgress: attempt.progress,
        metadata: { [WRITE_ID]: writeId },
        blobHTTPHeaders: { blobContentMD5: createHash('md5').update(body).digest() },
        ...(ifAbsent ? { conditions: { ifNoneMatch: '*' } } : {}),
      });
    } catch (error) {
      const code = codeIn(error);
      if (code === 'BlobAlreadyExists' || code === 'ConditionNotMet') throw new ConditionFailed();
      if (error instanceof RestError && error.statusCode === 412) throw new ConditionFailed();
      throw error;
    }
  }

  async read(name: string, { signal, progress }: Attempt): Promise<Buffer | null> {
    return await nullIfMissing(async () => {
      const options = { abortSignal: signal, maxRetryRequests: 0 };
      const answer = await this.#container.getBlobClient(name).download(0, undefined, options);
      progress();
      const body = must(answer.readableStreamBody, 'the answer has a body') as AsyncIterable<Uint8Array>;
      return await collectBody(body, must(answer.contentLength, 'the answer has a length'), progress);
    });
  }

  async look(name: string, { signal }: Attempt): Promise<RemoteInfo | null> {
    return await nullIfMissing(async () => {
      const found = await this.#container.getBlobClient(name).getProperties({ abortSignal: signal });
      const modifiedAtMs = found.lastModified?.getTime() ?? 0;
      return { name, sizeBytes: found.contentLength ?? 0, modifiedAtMs, writeId: found.metadata?.[WRITE_ID] ?? null };
    });
  }

  async page(
    prefix: string,
    from: { token: string | undefined; namesMax: number },
    { signal }: Attempt,
  ): Promise<RemotePage> {
    const pages = this.#container
      .listBlobsFlat({ prefix, abortSignal: signal })
      .byPage({ maxPageSize: from.namesMax, ...(from.token === undefined ? {} : { continuationToken: from.token }) });
    const { value } = await pages.next();
    const infos = (value?.segment.blobItems ?? []).map(
      (item: { name: string; properties: { contentLength?: number; lastModified: Date } }) => ({
        name: item.name,
        sizeBytes: item.properties.contentLength ?? 0,
        modifiedAtMs: item.properties.lastModified.getTime(),
        writeId: null,
      }),
    );
    const next = value?.continuationToken;
    return { infos, next: next === undefined || next === '' ? undefined : next };
  }

  async remove(name: string, { signal }: Attempt): Promise<void> {
    await nullIfMissing(async () => {
      await this.#container.getBlobClient(name).delete({ abortSignal: signal });
      return null;
    });
  }

  /** Azure does not tell those who may only use a container. */
  async location(): Promise<null> {
    return null;
  }

  /**
   * It makes a slash of a backslash, and drops dots at the end of a segment: the object would be under another name.
   */
  whyNoName(name: string): string | null {
    if (name.includes('\\')) return 'Azure Blob Storage takes no backslash in a name';
    const dotted = name.split('/').some((segment) => segment.endsWith('.'));
    return dotted ? 'Azure Blob Storage takes no part of a name that ends with a dot' : null;
  }

  problemOf(error: unknown): StoreProblem {
    const known = problems[codeIn(error) ?? ''] ?? problems[error instanceof Error ? error.name : ''];
    if (known !== undefined) return known;
    return problemOfStatus(error instanceof RestError ? error.statusCode : undefined);
  }
}

function containerClientOf(place: AzurePlace): ContainerClient {
  const endpoint = (place.endpoint ?? `https://${place.account}.blob.core.windows.net`).replace(/\/+$/, '');
  const url = `${endpoint}/${place.container}`;
  const options = { retryOptions: { maxTries: 1 } };
  const { credentials } = place;
  if (credentials === undefined) return new ContainerClient(url, new DefaultAzureCredential(), options);
  if ('accountKey' in credentials) {
    return new ContainerClient(url, new StorageSharedKeyCredential(place.account, credentials.accountKey), options);
  }
  if ('sasToken' in credentials) {
    const signed = `${url}?${credentials.sasToken.replace(/^\?/, '')}`;
    return new ContainerClient(signed, new AnonymousCredential(), options);
  }
  const { tenantId, clientId, clientSecret } = credentials;
  const identity: TokenCredential = new ClientSecretCredential(tenantId, clientId, clientSecret);
  return new ContainerClient(url, identity, options);
}

const problems: Readonly<Record<string, StoreProblem>> = {
  ContainerNotFound: 'noBucket',
  ContainerBeingDeleted: 'noBucket',
  ContainerDisabled: 'noBucket',
  AuthorizationFailure: 'denied',
  AuthorizationPermissionMismatch: 'denied',
  InsufficientAccountPermissions: 'denied',
  AuthenticationFailed: 'credentials',
  InvalidAuthenticationInfo: 'credentials',
  NoAuthenticationInformation: 'credentials',
  CredentialUnavailableError: 'credentials',
  AuthenticationError: 'credentials',
  AggregateAuthenticationError: 'credentials',
  AuthenticationRequiredError: 'credentials',
  ServerBusy: 'busy',
  InternalError: 'busy',
  OperationTimedOut: 'busy',
  Md5Mismatch: 'unreachable',
  PARSE_ERROR: 'unreachable',
};

function codeIn(error: unknown): string | undefined {
  if (!(error instanceof RestError)) return undefined;
  const { errorCode } = (error.details ?? {}) as { errorCode?: string };
  return error.code ?? errorCode;
}

async function nullIfMissing<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (codeIn(error) === 'BlobNotFound') return null;
    // The answer to a HEAD has no body and, from some servers, no code.
    if (error instanceof RestError && error.statusCode === 404 && problems[codeIn(error) ?? ''] === undefined)
      return null;
    throw error;
  }
}
