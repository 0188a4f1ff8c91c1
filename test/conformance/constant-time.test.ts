import assert from 'node:assert/strict';
import crypto, { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { catalogAuthStores } from '../../src/auth/catalog-stores.ts';
import { Nonces } from '../../src/auth/nonces.ts';
import { insertOrganization } from '../../src/catalog/organizations.ts';
import { downloadToken, readToken } from '../../src/domain/restores/download-links.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { madeCallers } from '../support/made-callers.ts';
import { openMemoryCatalog } from '../support/memory-catalog.ts';

/**
 * How long a comparison takes must not say how much of a guess was right. Whether a call takes the same time cannot be
 * measured on a busy machine; what can be is whose word decides. So Node's own comparison is put into the test's hand:
 * when it calls everything equal a wrong credential has to pass, and when it calls nothing equal the right one must
 * not. A check that also looks at the secret in some other way fails one of the two.
 */
type Verdict = 'as it is' | 'always' | 'never';

function compareInTestsHand(t: TestContext): { verdict: Verdict; compared: [number, number][] } {
  const hand: { verdict: Verdict; compared: [number, number][] } = { verdict: 'as it is', compared: [] };
  const real = crypto.timingSafeEqual;
  t.mock.method(crypto, 'timingSafeEqual', (left: Buffer, right: Buffer) => {
    hand.compared.push([left.length, right.length]);
    return hand.verdict === 'as it is' ? real(left, right) : hand.verdict === 'always';
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return hand;
}

/** Every way to prove who is calling, right or with one character of the proof changed. */
async function proofs(): Promise<Record<string, (right: boolean) => Promise<boolean>>> {
  const clock = new FakeClock();
  const catalog = await openMemoryCatalog(clock);
  const ids = createIdSource(clock, systemRandom);
  const organizationId = ids.next();
  await catalog.transact(async (writer) => {
    await insertOrganization(writer, { id: organizationId, name: 'o', createdAtMs: clock.nowMs() });
  });
  const stores = catalogAuthStores(catalog);
  const secretBox = new SecretBox(systemRandom.bytes(32), systemRandom);
  const { apiKey, account } = await madeCallers({ catalog, clock, ids, secretBox }, organizationId);
  const authenticator = createAuthenticator({ stores, clock, random: systemRandom, secretBox });
  const nonces = new Nonces({ clock, random: systemRandom });
  const ask = { method: 'GET', target: '/api/atlas/v2', remoteAddress: '127.0.0.1' };
  return {
    'the answer to a digest challenge': async (right) => {
      const first = await authenticator.authenticate({ ...ask, authorization: undefined });
      const nonce = /nonce="([^"]+)"/.exec('challenge' in first ? first.challenge : '')?.[1] ?? '';
      const answer = digestAnswer(apiKey.publicKey, apiKey.privateKey, ask, nonce);
      const authorization = right ? answer : answer.replace(/response="(.)/, (_, digit) => `response="${other(digit)}`);
      return (await authenticator.authenticate({ ...ask, authorization })).caller !== null;
    },
    'a client secret': async (right) => {
      const secret = right ? account.secret : `${account.secret.slice(0, -1)}${other(account.secret.at(-1) ?? '')}`;
      const authorization = `Basic ${Buffer.from(`${account.clientId}:${secret}`).toString('base64')}`;
      const contentType = 'application/x-www-form-urlencoded';
      const body = 'grant_type=client_credentials';
      return (
        (
          await authenticator.clientCredentials.issueToken({
            authorization,
            contentType,
            body,
            remoteAddress: '192.0.2.1',
          })
        ).status === 200
      );
    },
    'a nonce': async (right) => {
      const nonce = nonces.issue();
      return nonces.isFresh(right ? nonce : `${nonce.slice(0, -1)}${other(nonce.at(-1) ?? '')}`);
    },
    'the token of a download': async (right) => {
      const token = downloadToken(secretBox, 'd'.repeat(24));
      const shown = right ? token : `${token.slice(0, -1)}${other(token.at(-1) ?? '')}`;
      return readToken(secretBox, shown) !== null;
    },
  };
}

function other(character: string): string {
  return character === 'A' || character === 'a' ? '0' : /[0-9]/.test(character) ? 'a' : 'A';
}

function digestAnswer(user: string, password: string, ask: { method: string; target: string }, nonce: string): string {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const ha1 = md5(`${user}:MMS Public API:${password}`);
  const response = md5(`${ha1}:${nonce}:00000001:c:auth:${md5(`${ask.method}:${ask.target}`)}`);
  return `Digest username="${user}", realm="MMS Public API", nonce="${nonce}", uri="${ask.target}", response="${response}", algorithm="MD5", qop=auth, nc=00000001, cnonce="c"`;
}

for (const [what, passes] of Object.entries(await proofs())) {
  test(`${what} is compared whole, by the comparison that tells nothing, and by nothing else`, async (t) => {
    const hand = compareInTestsHand(t);
    assert.deepEqual([await passes(true), await passes(false)], [true, false]);
    assert.ok(hand.compared.length >= 2, 'it is asked, for a right proof and a wrong one');
    for (const [left, right] of hand.compared) {
      assert.equal(left, right);
      assert.ok(left >= 14, 'no part of it');
    }
    hand.verdict = 'never';
    assert.equal(await passes(true), false, 'right, and refused: nobody else was asked');
    hand.verdict = 'always';
    assert.equal(await passes(false), true, 'wrong, and admitted: nobody else was asked');
  });
}

test('no other file of those who ask who is calling compares a proof', () => {
  const folder = fileURLToPath(new URL('../../src/auth/', import.meta.url));
  const careful: string[] = [];
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const text = readFileSync(folder + name, 'utf8');
    const compared = text.match(
      /\b\w*(?:[hH]ash|[rR]esponse|[mM]ac|Ha1|[sS]ecret)(?:\([^)]*\))?\s*[!=]==\s*(?!undefined|null)\S+/g,
    );
    assert.deepEqual(compared, null, name);
    if (/timingSafeEqual\(/.test(text)) careful.push(name);
  }
  assert.deepEqual(careful, ['authenticator.ts', 'client-credentials.ts', 'nonces.ts'], 'all of them are tried above');
});
