/** As much of an Atlas client as the demo needs: a service account's token, JSON, and the version in the media type. */

export interface Credentials {
  orgId: string;
  projectId: string;
  apiKey: { publicKey: string; privateKey: string };
  serviceAccount: { clientId: string; clientSecret: string };
}

export class AtlasClient {
  readonly url: string;
  readonly token: string;

  private constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  static async connect(url: string, account: Credentials['serviceAccount']): Promise<AtlasClient> {
    const basic = Buffer.from(`${account.clientId}:${account.clientSecret}`).toString('base64');
    const answer = await fetch(`${url}/api/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    });
    const body = (await answer.json()) as { access_token?: string; error_description?: string };
    if (body.access_token === undefined) throw new Error(`no token (HTTP ${answer.status}): ${body.error_description}`);
    return new AtlasClient(url, body.access_token);
  }

  /** `path` below the host, with the version where the operation is Atlas's. */
  async get<T>(path: string, version?: string): Promise<T> {
    return await this.#call<T>('GET', path, version, undefined);
  }

  async post<T>(path: string, body: unknown, version?: string): Promise<T> {
    return await this.#call<T>('POST', path, version, body);
  }

  async patch<T>(path: string, body: unknown, version?: string): Promise<T> {
    return await this.#call<T>('PATCH', path, version, body);
  }

  async delete<T>(path: string, version?: string): Promise<T> {
    return await this.#call<T>('DELETE', path, version, undefined);
  }

  async #call<T>(method: string, path: string, version: string | undefined, body: unknown): Promise<T> {
    const mediaType = version === undefined ? 'application/json' : `application/vnd.atlas.${version}+json`;
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        accept: mediaType,
        ...(body === undefined ? {} : { 'content-type': mediaType }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
