import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentVersion, HistoryOperation } from './history-item.ts';
import { type ShardItem, ShardMerge } from './merge-shards.ts';

const doc = (text: string) => Buffer.from(text);

/** `text`: the document, null where there is none, undefined where it is not known. */
function on(
  shardName: string,
  operation: HistoryOperation,
  text: string | null | undefined,
  change: Partial<DocumentVersion> = {},
): ShardItem {
  const document = typeof text === 'string' ? doc(text) : null;
  const content = document !== null ? 'document' : text === null ? 'absent' : 'unknown';
  const none = { transaction: null, cause: content === 'unknown' ? 'so' : null, shardName: null, moved: false };
  const common = { kind: 'version', at: 1n, namespace: 'a.b', uuid: 'u', ...none } as const;
  return { shardName, item: { ...common, operation, content, document, ...change } };
}

const moved = (shardName: string, text: string | null) =>
  on(shardName, text === null ? 'delete' : 'insert', text, { moved: true });

/** Each inner list is of one time. */
const histories: [string, ShardItem[][], string[]][] = [
  [
    'a document that is moved goes on where it came to, and neither copy nor removal is a version',
    [
      [on('s0', 'insert', 'one')],
      [moved('s1', 'one')],
      [on('s0', 'update', 'two')],
      [on('s1', 'update', 'two', { moved: true })],
      [on('s1', 'update', 'three')],
      [moved('s0', null)],
      [on('s1', 'delete', null)],
    ],
    ['s0 insert one', 's0 update two', 's1 update three', 's1 delete absent'],
  ],
  [
    'a snapshot finds it on one shard only',
    [[on('s0', 'snapshot', null), on('s1', 'snapshot', 'one')], [on('s1', 'update', 'two')]],
    ['s1 snapshot one', 's1 update two'],
  ],
  [
    'a snapshot finds it, and an orphan that is the same',
    [[on('s0', 'snapshot', 'one'), on('s1', 'snapshot', 'one')], [on('s1', 'update', 'two')], [moved('s0', null)]],
    ['s0 snapshot one', 's1 update two'],
  ],
  [
    'a snapshot finds an orphan that differs: which it was is not known until it is written to',
    [[on('s0', 'snapshot', 'old'), on('s1', 'snapshot', 'new')], [on('s1', 'update', 'newer')]],
    ['null snapshot unknown', 's1 update newer'],
  ],
  [
    'a snapshot does not find it on a shard of which it is the first to tell',
    [[on('s0', 'insert', 'one')], [on('s1', 'snapshot', null)], [on('s0', 'update', 'two')]],
    ['s0 insert one', 's0 update two'],
  ],
  ['a snapshot finds it nowhere', [[on('s0', 'snapshot', null), on('s1', 'snapshot', null)]], ['null snapshot absent']],
  [
    'its collection is dropped on every shard, once to those who look',
    [
      [on('s0', 'insert', 'one')],
      [moved('s1', 'one')],
      [on('s1', 'update', 'two')],
      [on('s0', 'dropCollection', null)],
      [on('s1', 'dropCollection', null)],
    ],
    ['s0 insert one', 's1 update two', 's1 dropCollection absent'],
  ],
  [
    'its collection is renamed on every shard, once to those who look',
    [
      [on('s1', 'insert', 'one')],
      [
        on('s0', 'renameCollection', null, { namespace: 'a.c' }),
        on('s1', 'renameCollection', 'one', { namespace: 'a.c' }),
      ],
    ],
    ['s1 insert one', 's1 renameCollection one'],
  ],
];

for (const [name, times, expected] of histories) {
  test(`one history of several shards: ${name}`, () => {
    const merge = new ShardMerge();
    const told = times.flatMap((items) => merge.take(items));
    assert.deepEqual(
      told.map((item) =>
        item.kind === 'unknown'
          ? 'unknown'
          : `${item.shardName} ${item.operation} ${item.document?.toString() ?? item.content}`,
      ),
      expected,
    );
  });
}

test('what is not known of several shards for as long is said once, with their names', () => {
  const stretch = { kind: 'unknown', from: null, to: 5n, cause: 'nothing was captured before' } as const;
  const items = [
    { shardName: 's0', item: stretch },
    { shardName: 's1', item: stretch },
    { shardName: 's2', item: { ...stretch, to: 6n } },
  ];
  const told = new ShardMerge().take(items);
  assert.deepEqual(
    told.map((item) => item.kind === 'unknown' && [item.to, item.cause]),
    [
      [5n, 's0, s1: nothing was captured before'],
      [6n, 's2: nothing was captured before'],
    ],
  );
});
