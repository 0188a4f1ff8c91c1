import { readFileSync } from 'node:fs';

/** Put in where the program is built; a checkout reads its `package.json`. */
declare const TIDEMARK_VERSION: string | undefined;

/** The version of this Tidemark, `1.2.3`. */
export const tidemarkVersion: string = typeof TIDEMARK_VERSION === 'string' ? TIDEMARK_VERSION : versionOfCheckout();

function versionOfCheckout(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
