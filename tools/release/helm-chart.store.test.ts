import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { messageOf } from '../../src/lib/errors.ts';
import { findProgram, goProgram } from '../fetch-programs.ts';
import { readVersion } from './bundle.ts';

const run = promisify(execFile);
const chart = join(import.meta.dirname, '../../packaging/helm/tidemark');
const HELM = goProgram('helm', 'helm.sh/helm/v3/cmd/helm', 'v3.22.0');

const found = await findProgram('programs', HELM).then(
  (helm) => ({ helm, skip: false as const }),
  (error: unknown) => ({ helm: '', skip: messageOf(error) }),
);

test('the chart has the version of what it installs', async () => {
  const described = await readFile(join(chart, 'Chart.yaml'), 'utf8');
  const version = await readVersion();
  assert.match(described, new RegExp(`^version: ${version}\nappVersion: ${version}$`, 'm'));
});

describe('the Helm chart', { skip: found.skip }, () => {
  async function helm(...args: string[]): Promise<string> {
    return (await run(found.helm, args)).stdout;
  }

  async function render(...values: string[]): Promise<string> {
    return await helm('template', 'backup', chart, ...values.flatMap((value) => ['--set', value]));
  }

  test('is accepted by helm, with a name of each secret and without', async () => {
    const secrets = ['secrets.passphrase=p', 'secrets.objectStores=o', 'secrets.tls=t'];
    for (const values of [[], [...secrets, 'persistence.existingClaim=c', 'serviceAccount.create=false']]) {
      const set = values.flatMap((value) => ['--set', value]);
      assert.match(await helm('lint', '--strict', chart, ...set), /1 chart\(s\) linted, 0 chart\(s\) failed/);
    }
  });

  test('runs as nobody in particular, on a root file system that cannot be changed', async () => {
    const rendered = await render();
    assert.equal(rendered.match(/readOnlyRootFilesystem: true/g)?.length, 2, 'both containers');
    assert.equal(rendered.match(/drop: \[ALL\]/g)?.length, 2);
    assert.match(rendered, /runAsNonRoot: true\n\s+runAsUser: 10001/);
    assert.match(rendered, /readinessProbe:\n\s+httpGet:\n\s+path: \/api\/atlas\/v2\/unauth\/controlPlaneIPAddresses/);
    assert.match(rendered, /^ {2}replicas: 1$/m);
    assert.doesNotMatch(rendered, /kind: Secret|secretName|secretKeyRef/);
  });

  test('names secrets and holds none', async () => {
    const rendered = await render('secrets.passphrase=mine', 'secrets.objectStores=stores', 'secrets.tls=pair');
    assert.match(rendered, /TIDEMARK_PASSPHRASE\n\s+valueFrom:\n\s+secretKeyRef:\n\s+name: mine\n\s+key: passphrase/);
    assert.match(rendered, /secretName: stores/);
    assert.match(rendered, /secretName: pair/);
    assert.match(rendered, /scheme: HTTPS/);
    assert.doesNotMatch(rendered, /kind: Secret/);
  });
});
