import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { runCommandLine } from '../support/command-line.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';

interface HistoryBody {
  results: { kind: string; operation?: string; at?: { date: string; increment: number }; document?: { n?: object } }[];
  next: string | null;
}

describe('the history of a document of a captured cluster', () => {
  const source = useReplicaSet({ name: 'source' });
  let tidemark: ServedTidemark;

  before(async () => {
    tidemark = await ServedTidemark.create();
    await tidemark.addCluster('Source', source().uri);
  });
  after(async () => await tidemark.remove());

  const cluster = () => `/groups/${tidemark.credentials.projectId}/clusters/Source`;
  const own = (rest: string) => `/api/tidemark/v1${cluster()}/${rest}`;

  async function history(change: object = {}): Promise<HistoryBody> {
    const question = { namespace: 'shop.docs', id: { $numberInt: '7' }, ...change };
    return await tidemark.client.post<HistoryBody>(own('documentHistory'), question);
  }

  test('is told through the API and the command, page by page, and a lost version is brought back', async () => {
    const docs = source().client.db('shop').collection<{ _id: number; n: number }>('docs');
    await docs.insertMany([
      { _id: 7, n: 0 },
      { _id: 8, n: 0 },
    ]);
    await tidemark.client.patch(`/api/atlas/v2${cluster()}`, { pitEnabled: true }, '2024-10-23');
    await until('the capture has begun', async () => {
      return (await tidemark.client.get<{ captured: object | null }>(own('continuousBackup'))).captured;
    });
    await tidemark.whenSnapshotEnds('Source', (await tidemark.requestSnapshot('Source')).id);
    await docs.updateOne({ _id: 7 }, { $inc: { n: 1 } });
    await docs.deleteOne({ _id: 7 });
    const whole = await until('the deletion is captured', async () => {
      const found = await history();
      return found.results.some(({ operation }) => operation === 'delete') ? found : null;
    });
    const shown = whole.results.filter(({ kind }) => kind === 'version');
    assert.deepEqual(
      shown.map(({ operation, document }) => [operation, document?.n]),
      [
        ['snapshot', { $numberInt: '0' }],
        ['update', { $numberInt: '1' }],
        ['delete', undefined],
      ],
    );
    const paged: HistoryBody['results'] = [];
    for (let next: string | null | undefined; next !== null; ) {
      const page: HistoryBody = await history({ limit: 1, ...(next === undefined ? {} : { cursor: next }) });
      paged.push(...page.results);
      next = page.next;
    }
    assert.deepEqual(paged, whole.results);

    const lost = shown[1]?.at;
    const wanted = { namespace: 'shop.docs', id: { $numberInt: '7' }, at: lost };
    const restored = await tidemark.client.post<{ result: string }>(own('documentRestores'), wanted);
    assert.equal(restored.result, 'inserted');
    assert.deepEqual(await docs.findOne({ _id: 7 }), { _id: 7, n: 1 });
    await assert.rejects(tidemark.client.post(own('documentRestores'), wanted), /DOCUMENT_EXISTS/);
    await tidemark.client.post(own('documentRestores'), { ...wanted, targetNamespace: 'shop.found' });
    assert.deepEqual(await source().client.db('shop').collection('found').findOne({}), { _id: 7, n: 1 });

    const common = ['Source', 'shop.docs', '7', '--data-dir', tidemark.dataDir];
    const told = (await runTidemark(['document', 'history', ...common])) as { results: { operation?: string }[] };
    assert.ok(told.results.some(({ operation }) => operation === 'delete'));
    const shown80 = await runCommandLine(['document', 'history', ...common]);
    assert.match(shown80.output, /^AT +OPERATION +CHANGE\n/);
    assert.match(shown80.output, / update +n 0 -> 1\n/);
    await docs.updateOne({ _id: 7 }, { $set: { n: 99 } });
    const at = `${lost?.date}.${lost?.increment}`;
    await runTidemark(['document', 'restore', ...common, '--at', at, '--overwrite', '--yes']);
    assert.deepEqual(await docs.findOne({ _id: 7 }), { _id: 7, n: 1 });
  });
});
