import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { messageOf } from '../../src/lib/errors.ts';
import type { AzurePlace } from '../../src/storage/azure.ts';
import type { GcsPlace } from '../../src/storage/gcs.ts';
import type { S3Place } from '../../src/storage/s3.ts';
import { findObjectServer, type ObjectServer } from '../../tools/fetch-object-servers.ts';
import { startLoopbackServer } from './loopback-server.ts';

/** A real object store server on the loopback interface. Buckets are made and removed by the test. */
export interface ObjectStoreServer<Place> {
  readonly endpoint: string;
  /** Where that bucket is; `endpoint` may be that of a proxy in front. */
  place(bucket: string, endpoint?: string): Place;
  createBucket(bucket: string): Promise<void>;
  /** With all that is in it. */
  removeBucket(bucket: string): Promise<void>;
  stop(): Promise<void>;
}

/** Why the tests that need this server are skipped, or false where they are not. */
export async function whyNoServer(name: ObjectServer): Promise<string | false> {
  return await findObjectServer(name).then(
    () => false,
    (error: unknown) => messageOf(error),
  );
}

const credentials = { accessKeyId: 'tidemark-test', secretAccessKey: 'not-a-secret-0000' };

/** S3 over a directory: signatures are checked, conditional writes hold between processes. */
export async function startVersity(): Promise<ObjectStoreServer<S3Place>> {
  const program = await findObjectServer('versitygw');
  const server = await startLoopbackServer(
    ({ port, directory }) => {
      const objects = join(directory, 'objects');
      const meta = join(directory, 'meta');
      const start = 'mkdir -p "$1" "$2" && exec "$3" --quiet --keep-alive --port "$4" posix --sidecar "$2" "$1"';
      return ['/bin/sh', '-c', start, 'sh', objects, meta, program, `127.0.0.1:${port}`];
    },
    { ROOT_ACCESS_KEY_ID: credentials.accessKeyId, ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  );
  const endpoint = `http://127.0.0.1:${server.port}`;
  const s3 = s3Client(endpoint);
  return {
    endpoint,
    place: (bucket, at = endpoint) => ({ bucket, prefix: '', endpoint: at, region: 'us-east-1', credentials }),
    createBucket: async (bucket) => void (await s3.send(new CreateBucketCommand({ Bucket: bucket }))),
    removeBucket: async (bucket) => {
      for (const part of ['objects', 'meta'])
        await rm(join(server.directory, part, bucket), { recursive: true, force: true });
    },
    stop: async () => {
      s3.destroy();
      await server.stop();
    },
  };
}

/** S3 and STS in memory: no signature is checked. */
export async function startMoto(): Promise<ObjectStoreServer<S3Place>> {
  const python = await findObjectServer('moto');
  const server = await startLoopbackServer(({ port }) => [
    python,
    '-m',
    'moto.server',
    '-H',
    '127.0.0.1',
    '-p',
    `${port}`,
  ]);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const s3 = s3Client(endpoint);
  return {
    endpoint,
    place: (bucket, at = endpoint) => ({ bucket, prefix: '', endpoint: at, region: 'us-east-1', credentials }),
    createBucket: async (bucket) => void (await s3.send(new CreateBucketCommand({ Bucket: bucket }))),
    removeBucket: async (bucket) => void (await s3.send(new DeleteBucketCommand({ Bucket: bucket }))),
    stop: async () => {
      s3.destroy();
      await server.stop();
    },
  };
}

function s3Client(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
}

/** The account that the emulator knows; its key is published with it. */
const AZURE_ACCOUNT = 'devstoreaccount1';
const AZURE_ACCOUNT_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export async function startAzurite(): Promise<ObjectStoreServer<AzurePlace>> {
  const program = await findObjectServer('azurite');
  const server = await startLoopbackServer(({ port }) => [
    process.execPath,
    program,
    '--blobHost',
    '127.0.0.1',
    '--blobPort',
    `${port}`,
    '--inMemoryPersistence',
    '--skipApiVersionCheck',
    '--silent',
    '--disableTelemetry',
  ]);
  const endpoint = `http://127.0.0.1:${server.port}/${AZURE_ACCOUNT}`;
  const containerOf = (container: string) =>
    new ContainerClient(`${endpoint}/${container}`, new StorageSharedKeyCredential(AZURE_ACCOUNT, AZURE_ACCOUNT_KEY));
  return {
    endpoint,
    place: (container, at = endpoint) => ({
      account: AZURE_ACCOUNT,
      container,
      prefix: '',
      endpoint: at,
      credentials: { accountKey: AZURE_ACCOUNT_KEY },
    }),
    createBucket: async (container) => void (await containerOf(container).create()),
    removeBucket: async (container) => void (await containerOf(container).delete()),
    stop: async () => await server.stop(),
  };
}

const REMOVALS_MAX = 20;

export async function startFakeGcs(): Promise<ObjectStoreServer<GcsPlace>> {
  const program = await findObjectServer('fake-gcs-server');
  const server = await startLoopbackServer(({ port, directory }) => [
    program,
    '-scheme',
    'http',
    '-host',
    '127.0.0.1',
    '-port',
    `${port}`,
    '-backend',
    'memory',
    '-filesystem-root',
    join(directory, 'objects'),
    '-log-level',
    'error',
  ]);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const send = async (method: string, path: string, body?: unknown): Promise<void> => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(endpoint + path, { method, headers: { 'content-type': 'application/json' }, ...init });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  const empty = async (bucket: string): Promise<void> => {
    const answer = await fetch(`${endpoint}/storage/v1/b/${bucket}/o`);
    const { items = [] } = (await answer.json()) as { items?: { name: string }[] };
    for (const item of items) await send('DELETE', `/storage/v1/b/${bucket}/o/${encodeURIComponent(item.name)}`);
  };
  return {
    endpoint,
    place: (bucket, at = endpoint) => ({ bucket, prefix: '', endpoint: at, credentials: 'anonymous' }),
    createBucket: async (name) => await send('POST', '/storage/v1/b', { name }),
    removeBucket: async (name) => {
      for (let tries = 1; ; tries++) {
        await empty(name);
        try {
          return await send('DELETE', `/storage/v1/b/${name}`);
        } catch (error) {
          // An upload whose client has gone may still be on its way in.
          if (tries === REMOVALS_MAX) throw error;
        }
      }
    },
    stop: async () => await server.stop(),
  };
}
