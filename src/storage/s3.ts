import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { assert, must } from '../lib/assert.ts';
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

/** A bucket of S3 or of what speaks it. */
export interface S3Place {
  bucket: string;
  /** '' or `some/prefix`. */
  prefix: string;
  /** AWS where left out. */
  endpoint?: string | undefined;
  region?: string | undefined;
  /**
   * The bucket in the path instead of the host name: what most servers other than AWS need. As the endpoint suggests
   * where left out.
   */
  pathStyle?: boolean | undefined;
  /** The default chain (environment, shared files, instance or container role) where left out. */
  credentials?: S3Credentials | undefined;
  /** A role to assume with them. */
  assumeRole?: { roleArn: string; externalId?: string | undefined; stsEndpoint?: string | undefined } | undefined;
}

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

const REGION_DEFAULT = 'us-east-1';
const CONNECT_MS = 10_000;
/** Bodies above this go in parts, so that a broken connection costs one part. */
const SINGLE_PUT_BYTES_MAX = 64 * 1024 * 1024;
const PARTS_MAX = 10_000;

export function openS3Store(place: S3Place, options: RemoteStoreOptions & { singlePutBytesMax?: number } = {}) {
  const description = `s3://${place.bucket}${place.prefix === '' ? '' : `/${place.prefix}`}${place.endpoint === undefined ? '' : ` at ${place.endpoint}`}`;
  const client = new S3RemoteClient(place, options.singlePutBytesMax ?? SINGLE_PUT_BYTES_MAX);
  return new RemoteStore(client, { description, prefix: place.prefix }, options);
}

class S3RemoteClient implements RemoteClient {
  readonly #bucket: string;
  readonly #s3: S3Client;
  readonly #singlePutBytesMax: number;

  constructor(place: S3Place, singlePutBytesMax: number) {
    this.#bucket = place.bucket;
    this.#singlePutBytesMax = singlePutBytesMax;
    this.#s3 = new S3Client({
      region: place.region ?? REGION_DEFAULT,
      ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
      forcePathStyle: place.pathStyle ?? place.endpoint !== undefined,
      credentials: credentialsOf(place),
      followRegionRedirects: place.endpoint === undefined,
      maxAttempts: 1,
      requestHandler: { connectionTimeout: CONNECT_MS },
    });
  }

  async write(name: string, body: Uint8Array, options: WriteOptions, attempt: Attempt): Promise<void> {
    try {
      if (body.length > this.#singlePutBytesMax) return await this.#writeInParts(name, body, options, attempt);
      await this.#s3.send(
        new PutObjectCommand({ ...this.#at(name), ...conditionOf(options), ...metadataOf(options), Body: body }),
        { abortSignal: attempt.signal },
      );
    } catch (error) {
      if (nameOf(error) === 'PreconditionFailed' || statusOf(error) === 412) throw new ConditionFailed();
      throw error;
    }
  }

  /** The object appears when the upload is completed, all at once; an upload that is not is given up. */
  async #writeInParts(name: string, body: Uint8Array, options: WriteOptions, attempt: Attempt): Promise<void> {
    const at = this.#at(name);
    const abortSignal = attempt.signal;
    const { UploadId } = await this.#s3.send(new CreateMultipartUploadCommand({ ...at, ...metadataOf(options) }), {
      abortSignal,
    });
    try {
      const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
      const partBytes = Math.max(8 * 1024 * 1024, Math.ceil(body.length / PARTS_MAX));
      for (let from = 0; from < body.length; from += partBytes) {
        const PartNumber = Parts.length + 1;
        const Body = body.subarray(from, from + partBytes);
        const command = new UploadPartCommand({ ...at, UploadId, PartNumber, Body });
        const { ETag } = await this.#s3.send(command, { abortSignal });
        attempt.progress();
        Parts.push({ ETag, PartNumber });
      }
      const complete = { ...at, ...conditionOf(options), UploadId, MultipartUpload: { Parts } };
      await this.#s3.send(new CompleteMultipartUploadCommand(complete), { abortSignal });
    } catch (error) {
      // Where this fails too, the bucket's own rule for uploads that were not completed removes the parts.
      void this.#s3.send(new AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => undefined);
      throw error;
    }
  }

  async read(name: string, { signal, progress }: Attempt): Promise<Buffer | null> {
    return await nullIfMissing(async () => {
      const answer = await this.#s3.send(new GetObjectCommand(this.#at(name)), { abortSignal: signal });
      progress();
      const body = must(answer.Body, 'the answer has a body') as unknown as AsyncIterable<Uint8Array>;
      return await collectBody(body, must(answer.ContentLength, 'the answer has a length'), progress);
    });
  }

  async look(name: string, { signal }: Attempt): Promise<RemoteInfo | null> {
    return await nullIfMissing(async () => {
      const found = await this.#s3.send(new HeadObjectCommand(this.#at(name)), { abortSignal: signal });
      const modifiedAtMs = found.LastModified?.getTime() ?? 0;
      return { name, sizeBytes: found.ContentLength ?? 0, modifiedAtMs, writeId: found.Metadata?.[WRITE_ID] ?? null };
    });
  }

  async page(
    prefix: string,
    from: { token: string | undefined; namesMax: number },
    { signal }: Attempt,
  ): Promise<RemotePage> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      MaxKeys: from.namesMax,
      ...(from.token === undefined ? {} : { ContinuationToken: from.token }),
    });
    const found = await this.#s3.send(command, { abortSignal: signal });
    const infos = (found.Contents ?? []).map(({ Key, Size, LastModified }) => ({
      name: must(Key, 'a listed object has a name'),
      sizeBytes: Size ?? 0,
      modifiedAtMs: LastModified?.getTime() ?? 0,
      writeId: null,
    }));
    assert(found.IsTruncated !== true || found.NextContinuationToken !== from.token, 'a listing goes on');
    return { infos, next: found.IsTruncated === true ? found.NextContinuationToken : undefined };
  }

  async remove(name: string, { signal }: Attempt): Promise<void> {
    await nullIfMissing(async () => {
      await this.#s3.send(new DeleteObjectCommand(this.#at(name)), { abortSignal: signal });
      return null;
    });
  }

  /** Buckets of the oldest region have no constraint. */
  async location({ signal }: Attempt): Promise<string | null> {
    const command = new GetBucketLocationCommand({ Bucket: this.#bucket });
    const { LocationConstraint } = await this.#s3.send(command, { abortSignal: signal });
    if (LocationConstraint === undefined || `${LocationConstraint}` === '') return REGION_DEFAULT;
    return LocationConstraint === 'EU' ? 'eu-west-1' : LocationConstraint;
  }

  whyNoName(): null {
    return null;
  }

  problemOf(error: unknown): StoreProblem {
    const byStatus = (): StoreProblem => problemOfStatus(statusOf(error));
    if (error instanceof S3ServiceException) return problems[nameOf(error)] ?? byStatus();
    // The checking of checksums is this side's.
    if (error instanceof Error && /checksum mismatch/i.test(error.message)) return 'unreachable';
    // What is left comes from signing in. A denial there is one by STS: the role does not trust us.
    const problem = problems[nameOf(error)] ?? byStatus();
    return problem === 'denied' ? 'role' : problem;
  }

  #at(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: name };
  }
}

function conditionOf({ ifAbsent }: WriteOptions): { IfNoneMatch?: string } {
  return ifAbsent ? { IfNoneMatch: '*' } : {};
}

function metadataOf({ writeId }: WriteOptions): { Metadata: Record<string, string> } {
  return { Metadata: { [WRITE_ID]: writeId } };
}

function credentialsOf(place: S3Place): NonNullable<S3ClientConfig['credentials']> {
  const { credentials, assumeRole } = place;
  const own =
    credentials === undefined
      ? fromNodeProviderChain()
      : {
          accessKeyId: credentials.accessKeyId,
          secretAccessKey: credentials.secretAccessKey,
          ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
        };
  if (assumeRole === undefined) return own;
  const { roleArn, externalId, stsEndpoint } = assumeRole;
  return fromTemporaryCredentials({
    masterCredentials: own,
    params: {
      RoleArn: roleArn,
      RoleSessionName: 'tidemark',
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    },
    clientConfig: {
      region: place.region ?? REGION_DEFAULT,
      ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
    },
  });
}

const problems: Readonly<Record<string, StoreProblem>> = {
  NoSuchBucket: 'noBucket',
  AccessDenied: 'denied',
  AllAccessDisabled: 'denied',
  AccountProblem: 'denied',
  InvalidAccessKeyId: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  InvalidToken: 'credentials',
  InvalidClientTokenId: 'credentials',
  UnrecognizedClientException: 'credentials',
  TokenRefreshRequired: 'credentials',
  XAdminUserNotFound: 'credentials',
  CredentialsProviderError: 'credentials',
  RequestTimeTooSkewed: 'clock',
  PermanentRedirect: 'region',
  AuthorizationHeaderMalformed: 'region',
  IllegalLocationConstraintException: 'region',
  SlowDown: 'busy',
  InternalError: 'busy',
  ServiceUnavailable: 'busy',
  RequestTimeout: 'busy',
  OperationAborted: 'busy',
  ConditionalRequestConflict: 'busy',
  NoSuchUpload: 'busy',
  BadDigest: 'unreachable',
  IncompleteBody: 'unreachable',
  XAmzContentChecksumMismatch: 'unreachable',
  TimeoutError: 'unreachable',
  XMinioStorageFull: 'full',
  QuotaExceeded: 'full',
};

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode;
}

/** A HEAD has no body to tell a missing bucket from a missing object; the next call that has one does. */
async function nullIfMissing<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    const name = nameOf(error);
    if (name === 'NoSuchKey' || name === 'NotFound') return null;
    // What a gateway on a file system says of a name that goes through another object.
    if (name === 'ObjectParentIsFile') return null;
    throw error;
  }
}
