import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { useReplicaSet, withReplicaSet } from '../../../test/support/replica-set.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { parseHostRule } from '../../lib/host-rules.ts';
import { describeCluster } from '../topology.ts';
import { connectCluster, connectMember, replicaSetUri, setConnectionPolicy } from './connect.ts';
import { guardSockets } from './guarded-sockets.ts';

const shared = useReplicaSet();
after(() => setConnectionPolicy({}));

const rules = (...texts: string[]) => texts.map((text) => must(parseHostRule(text), text));

/** Every address that a socket of this process tried while the work went on. */
async function attemptsOf(work: () => Promise<void>): Promise<string[]> {
  const tried: string[] = [];
  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.on('connectionAttempt', (address: string) => tried.push(address));
  };
  subscribe('net.client.socket', watch);
  try {
    await work();
  } finally {
    unsubscribe('net.client.socket', watch);
  }
  return tried;
}

async function refusalOf(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => assert.fail('it was connected to'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Fault);
  return error;
}

test('an address that nobody may reach is not tried, however the string writes it', async () => {
  for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '[fe80::1]', '[64:ff9b::a9fe:a9fe]']) {
    const tried = await attemptsOf(async () => {
      const { message } = await refusalOf(connectCluster(`mongodb://${host}:80/`));
      assert.match(message, /no cluster can be at a link-local or metadata address/);
    });
    assert.deepEqual(tried, [], host);
  }
});

test('a member that the configuration names later is not tried where nobody may reach it', async () => {
  await withReplicaSet({}, async (set) => {
    // The server takes loopback addresses only beside its own: where it is and where it is not is told apart by a rule.
    const here = rules('127.0.0.1');
    const stranger = '127.13.13.13';
    const primary = await set.primary();
    const { config } = await set.command(primary, { replSetGetConfig: 1 });
    const members = [...config.members, { _id: 7, host: `${stranger}:27017`, priority: 0, votes: 0 }];
    // The set's own client is not guarded and would try the new member.
    await set.client.close();
    await set.command(primary, { replSetReconfig: { ...config, version: config.version + 1, members }, force: true });
    const tried = await attemptsOf(async () => {
      const guard = guardSockets({ allow: [here], socketPaths: [] });
      const refused = Promise.withResolvers<void>();
      guard.onRefusal = refused.resolve;
      const client = new MongoClient(set.uri, { lookup: guard.lookup });
      try {
        await client.connect();
        await refused.promise;
        assert.deepEqual([...guard.refused.keys()], [stranger]);
      } finally {
        await client.close();
      }
      setConnectionPolicy({ allow: here });
      const cluster = await connectCluster(set.uri);
      try {
        const { message } = await refusalOf(connectMember(cluster, set.uri, `${stranger}:27017`));
        assert.match(message, /127\.13\.13\.13 is not connected to/);
      } finally {
        await cluster.close();
        setConnectionPolicy({});
      }
    });
    assert.ok(tried.includes('127.0.0.1'), 'the watch sees what is tried');
    assert.ok(!tried.includes(stranger));
  });
});

test('with --cluster-allow clusters are where it says, by name after it was looked up and by address', async () => {
  const { uri } = shared();
  const port = must(/:(\d+)/.exec(must(uri.split('@').at(-1), uri))?.[1], 'the uri has a port');
  setConnectionPolicy({ allow: rules('127.0.0.0/8') });
  await (await connectCluster(uri)).close();
  setConnectionPolicy({ allow: rules('10.0.0.0/8', 'db.example.com') });
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    const tried = await attemptsOf(async () => {
      const { message, retryable } = await refusalOf(
        connectCluster(`mongodb://${host}:${port}/?directConnection=true`),
      );
      assert.match(message, /clusters may not be there \(--cluster-allow\)/);
      assert.equal(retryable, false);
    });
    assert.deepEqual(tried, [], host);
  }
  setConnectionPolicy({ allow: rules('localhost') });
  await (await connectCluster(`mongodb://localhost:${port}/?directConnection=true`)).close();
  setConnectionPolicy({});
});

test('an identity is shown to its own hosts and to no other', async () => {
  const { uri } = shared();
  const identity = { name: 'own', options: {}, username: 'u', password: 'p' };
  const kept = `${uri}${uri.includes('?') ? '&' : '?'}tidemarkIdentity=own`;
  setConnectionPolicy({ identities: new Map([['own', { ...identity, hosts: rules('10.0.0.0/8') }]]) });
  assert.deepEqual(
    await attemptsOf(async () => {
      await refusalOf(connectCluster(kept));
    }),
    [],
  );
  setConnectionPolicy({ identities: new Map([['own', { ...identity, hosts: rules('127.0.0.1') }]]) });
  assert.match((await refusalOf(connectCluster(kept))).message, /[Aa]uthentication failed/);
  setConnectionPolicy({});
  assert.match((await refusalOf(connectCluster(kept))).message, /the identity own is not in the file/);
});

test('hosts that a server names bring no options and no sockets into the string', async () => {
  const cluster = await connectCluster(shared().uri);
  try {
    for (const host of ['a:1/?authMechanism=MONGODB-AWS', '/tmp/x.sock', '%2Ftmp%2Fx.sock'])
      assert.throws(() => replicaSetUri(cluster, shared().uri, { name: 'rs', hosts: [host] }), Fault, host);
  } finally {
    await cluster.close();
  }
});

test('strings of applications connect: what is said for an application is ours', async () => {
  const { uri } = shared();
  const said = [
    'socketTimeoutMS=1',
    'timeoutMS=1',
    'wtimeoutMS=1',
    'maxIdleTimeMS=1',
    'minPoolSize=200',
    'maxPoolSize=1',
    'waitQueueTimeoutMS=1',
    'readPreference=secondary',
    'readPreferenceTags=dc:none',
    'maxStalenessSeconds=90',
    'readConcernLevel=available',
    'w=0',
    'journal=false',
    'compressors=snappy,zstd,zlib',
    'retryWrites=true',
    'appName=shop',
    'uuidRepresentation=standard',
  ];
  const full = `${uri}${uri.includes('?') ? '&' : '?'}${said.join('&')}`;
  const facts = await describeCluster(full);
  assert.equal(facts.topology, 'replicaSet');
  const client = await connectCluster(full);
  try {
    const { socketTimeoutMS, maxPoolSize, minPoolSize, compressors, writeConcern, readPreference, appName } =
      client.options;
    assert.deepEqual(
      [socketTimeoutMS, maxPoolSize, minPoolSize, compressors, writeConcern, readPreference.mode, appName],
      [0, 16, 0, ['none'], undefined, 'primary', 'tidemark'],
    );
  } finally {
    await client.close();
  }
});

test('the files of this machine are not described', async () => {
  const { message, hint, cause } = await refusalOf(
    connectCluster('mongodb://127.0.0.1:1/?tls=true&tlsCAFile=/nowhere/of/mine.pem'),
  );
  assert.ok(!`${message} ${hint} ${String(cause)}`.includes('/nowhere'), message);
});
