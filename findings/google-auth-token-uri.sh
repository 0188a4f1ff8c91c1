#!/usr/bin/env bash
# google-auth-library (npm) 11.3.4: the field token_uri of a service account's key file is not asked; the token always
# comes from oauth2.googleapis.com.
#
# Every key file that Google hands out has the field, and other libraries of Google's obey it. Who points it at a server
# of his own, for a test or for a gateway, sees no request there.
# Nothing is sent in this script: what the library would fetch is answered in the process.
# Seen on Node 20.20 and 24.21:
#   asked: https://oauth2.googleapis.com/token
#   token_uri of the key file: https://tokens.example.com/token
# Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund google-auth-library@11.3.4
cat > ask.mjs <<'CODE'
import { generateKeyPairSync } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const credentials = {
  type: 'service_account',
  client_email: 'backup@example.iam.gserviceaccount.com',
  private_key_id: 'key',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  token_uri: 'https://tokens.example.com/token',
};
const asked = [];
const fetchImplementation = async (url) => {
  asked.push(String(url));
  const body = JSON.stringify({ access_token: 'of nobody', expires_in: 3600, token_type: 'Bearer' });
  return new Response(body, { headers: { 'content-type': 'application/json' } });
};
const auth = new GoogleAuth({
  credentials,
  scopes: ['https://www.googleapis.com/auth/devstorage.read_only'],
  clientOptions: { transporterOptions: { fetchImplementation } },
});
await (await auth.getClient()).getAccessToken();
console.log(`asked: ${asked.join(', ')}`);
console.log(`token_uri of the key file: ${credentials.token_uri}`);
CODE
node ask.mjs | tee seen
cat > expected <<'EXPECTED'
asked: https://oauth2.googleapis.com/token
token_uri of the key file: https://tokens.example.com/token
EXPECTED
diff expected seen
