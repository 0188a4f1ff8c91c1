import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';

/** One request as a client of the API sends it, by bearer token or by digest. Keeps its connections, as they do. */
export type Send = (path: string) => Promise<void>;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const accept = 'application/vnd.atlas.2023-01-01+json';

interface Response {
  status: number;
  challenge: string;
  bytes: number;
}

async function get(url: string, path: string, authorization: string | null): Promise<Response> {
  return await new Promise((resolve, reject) => {
    const headers = { accept, ...(authorization === null ? {} : { authorization }) };
    const sent = request(url + path, { agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
      response.on('error', reject);
      response.on('end', () => {
        const challenge = response.headers['www-authenticate'] ?? '';
        resolve({ status: response.statusCode ?? 0, challenge, bytes });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

function expectOk(path: string, { status }: Response): void {
  if (status !== 200) throw new Error(`GET ${path}: HTTP ${status}`);
}

export function bearer(url: string, token: string): Send {
  return async (path) => expectOk(path, await get(url, path, `Bearer ${token}`));
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** Two requests a call, as the official clients do: none of them uses a nonce twice. */
export function digest(url: string, user: string, password: string): Send {
  return async (path) => {
    const { challenge } = await get(url, path, null);
    const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const realm = /realm="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const cnonce = '0123456789abcdef';
    const ha1 = md5(`${user}:${realm}:${password}`);
    const response = md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${md5(`GET:${path}`)}`);
    const fields = [
      `username="${user}"`,
      `realm="${realm}"`,
      `nonce="${nonce}"`,
      `uri="${path}"`,
      `response="${response}"`,
      'algorithm="MD5"',
      'qop=auth',
      'nc=00000001',
      `cnonce="${cnonce}"`,
    ];
    expectOk(path, await get(url, path, `Digest ${fields.join(', ')}`));
  };
}

export function closeConnections(): void {
  agent.destroy();
}
