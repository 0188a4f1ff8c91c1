import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Document, MongoClient, MongoServerError } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createDirectory, Mongod } from './mongod.ts';

const POLL_MS = 20;
const WAIT_LIMIT_MS = 60_000;
const ROOT_USER = 'root';
const ROOT_PASSWORD = 'for tests only';

/** What a member may be beside an ordinary one: fields of `replSetGetConfig`. */
export interface MemberSettings {
  priority?: number;
  votes?: 0 | 1;
  hidden?: boolean;
  buildIndexes?: boolean;
  secondaryDelaySecs?: number;
  arbiterOnly?: boolean;
}

export interface ReplicaSetOptions {
  name?: string;
  /** How many, all alike; or what each is in the configuration (`{ priority: 0, hidden: true }`). */
  members?: 1 | 3 | readonly MemberSettings[];
  /** Access control, with one user who may do everything; `uri` carries the credentials. */
  auth?: boolean;
  /** What the members know each other by under access control, where other sets have to know them too. */
  keyFileText?: string;
  setParameters?: Readonly<Record<string, string | number | boolean>>;
  oplogMb?: number;
  cacheGb?: number;
  /** More arguments for every mongod. */
  args?: readonly string[];
  /** Another server than that of the tests. */
  binary?: string;
}

/** A real replica set, for one test file. Its servers end with this process, whatever happens to it. */
export class ReplicaSet {
  readonly name: string;
  readonly members: readonly Mongod[];
  readonly uri: string;
  /** Connected, to the set. */
  readonly client: MongoClient;
  readonly #credentials: string;
  readonly #settings: readonly MemberSettings[];

  private constructor(
    name: string,
    members: readonly Mongod[],
    settings: readonly MemberSettings[],
    credentials: string,
  ) {
    this.name = name;
    this.members = members;
    this.#settings = settings;
    this.#credentials = credentials;
    this.uri = `mongodb://${credentials}${members.map((member) => member.address).join(',')}/?replicaSet=${name}${credentials === '' ? '' : '&authSource=admin'}`;
    this.client = new MongoClient(this.uri, { serverSelectionTimeoutMS: WAIT_LIMIT_MS });
  }

  static async start(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
    const name = options.name ?? 'rs';
    const args = mongodArguments(name, options);
    const keyFileText = options.keyFileText ?? newKeyFileText();
    const members: Mongod[] = [];
    try {
      const settings = settingsOf(options.members ?? 1);
      const starts = settings.map(() => startMember(args, options.auth ? keyFileText : null, options.binary));
      for (const start of await Promise.allSettled(starts)) {
        if (start.status === 'rejected') throw start.reason;
        members.push(start.value);
      }
      await initiate(name, members, settings, options.auth ?? false);
      const set = new ReplicaSet(
        name,
        members,
        settings,
        options.auth ? `${ROOT_USER}:${encodeURIComponent(ROOT_PASSWORD)}@` : '',
      );
      await set.client.connect();
      await set.whenComplete();
      return set;
    } catch (error) {
      await Promise.all(members.map((member) => member.remove()));
      throw error;
    }
  }

  /** The uri of one member alone. */
  directUri(member: Mongod): string {
    return `mongodb://${this.#credentials}${member.address}/?directConnection=true${this.#credentials === '' ? '' : '&authSource=admin'}`;
  }

  /** Runs one command on one member. */
  async command(member: Mongod, command: Document, db = 'admin'): Promise<Document> {
    const client = new MongoClient(this.directUri(member), { serverSelectionTimeoutMS: 5000 });
    try {
      return await client.db(db).command(command);
    } finally {
      await client.close();
    }
  }

  async primary(): Promise<Mongod> {
    return await until('there is a primary', async () => {
      for (const member of this.members) {
        if (!member.running) continue;
        const hello = await this.command(member, { hello: 1 }).catch(() => null);
        if (hello?.isWritablePrimary) return member;
      }
      return null;
    });
  }

  async secondary(): Promise<Mongod> {
    const primary = await this.primary();
    return must(
      this.members.find((member) => member !== primary && member.running),
      'the set has a secondary that runs',
    );
  }

  /** Waits until every member that runs is primary or secondary and has all that the primary had when we came. */
  async whenComplete(): Promise<void> {
    await this.primary();
    await until('all members are up', async () => {
      const primary = await this.primary();
      const status = await this.command(primary, { replSetGetStatus: 1 });
      const members = status.members as { stateStr: string; name: string }[];
      const up = members.filter((member) => ['PRIMARY', 'SECONDARY', 'ARBITER'].includes(member.stateStr)).length;
      return up >= this.members.filter((member) => member.running).length ? true : null;
    });
    // A delayed member and an arbiter cannot acknowledge it.
    const w = this.members.filter((member, index) => member.running && isPrompt(this.#settings[index])).length;
    await this.client.db('admin').command({ appendOplogNote: 1, data: { wait: 'all' }, writeConcern: { w } });
  }

  /** Makes the primary stand down, and not stand again for so long, and waits for the next one. */
  async stepDown(seconds = 60): Promise<Mongod> {
    const old = await this.primary();
    await this.command(old, { replSetStepDown: seconds, secondaryCatchUpPeriodSecs: Math.min(30, seconds - 1) }).catch(
      () => null,
    );
    return await until('another member is primary', async () => {
      const now = await this.primary();
      return now === old ? null : now;
    });
  }

  async stop(): Promise<void> {
    await this.client.close(true).catch(() => undefined);
    await Promise.all(this.members.map((member) => member.remove()));
  }
}

/** A replica set for all the tests of a file: `const source = useReplicaSet(); ... source().uri`. */
export function useReplicaSet(options: ReplicaSetOptions = {}): () => ReplicaSet {
  let set: ReplicaSet | undefined;
  before(async () => {
    set = await ReplicaSet.start(options);
  });
  after(async () => {
    await set?.stop();
  });
  return () => must(set, 'the replica set is there once the tests run');
}

export async function withReplicaSet<T>(options: ReplicaSetOptions, work: (set: ReplicaSet) => Promise<T>): Promise<T> {
  const set = await ReplicaSet.start(options);
  try {
    return await work(set);
  } finally {
    await set.stop();
  }
}

/** Polls until `ask` gives something. Bounded. */
export async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const deadlineMs = systemClock.monotonicMs() + WAIT_LIMIT_MS;
  while (systemClock.monotonicMs() < deadlineMs) {
    const answer = await ask();
    if (answer !== null) return answer;
    await systemClock.sleep(POLL_MS);
  }
  throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain until ${what}`);
}

export function newKeyFileText(): string {
  return systemRandom.bytes(48).toString('base64');
}

function mongodArguments(name: string, options: ReplicaSetOptions): string[] {
  const parameters = {
    enableTestCommands: true,
    diagnosticDataCollectionEnabled: false,
    minSnapshotHistoryWindowInSeconds: 3600,
    ...options.setParameters,
  };
  return [
    ...['--replSet', name, '--oplogSize', String(options.oplogMb ?? 1024)],
    ...['--wiredTigerCacheSizeGB', String(options.cacheGb ?? 0.25)],
    ...Object.entries(parameters).flatMap(([parameter, value]) => ['--setParameter', `${parameter}=${value}`]),
    ...(options.args ?? []),
  ];
}

async function startMember(
  args: readonly string[],
  keyFileText: string | null,
  binary: string | undefined,
): Promise<Mongod> {
  const directory = await createDirectory();
  const own = binary === undefined ? {} : { binary };
  if (keyFileText === null) return await Mongod.start({ args, directory, ...own });
  const keyFile = join(directory, 'key-file');
  await writeFile(keyFile, keyFileText, { mode: 0o600 });
  return await Mongod.start({ args: [...args, '--keyFile', keyFile], directory, ...own });
}

function settingsOf(members: NonNullable<ReplicaSetOptions['members']>): readonly MemberSettings[] {
  return typeof members === 'number' ? Array.from({ length: members }, () => ({})) : members;
}

function isPrompt(settings: MemberSettings | undefined): boolean {
  return settings?.arbiterOnly !== true && settings?.secondaryDelaySecs === undefined;
}

async function initiate(
  name: string,
  members: readonly Mongod[],
  settings: readonly MemberSettings[],
  auth: boolean,
): Promise<void> {
  const first = must(members[0], 'a set has a member');
  const client = new MongoClient(`mongodb://${first.address}/?directConnection=true`);
  try {
    const admin = client.db('admin');
    await admin.command({
      replSetInitiate: {
        _id: name,
        members: members.map((member, index) => ({ _id: index, host: member.address, ...settings[index] })),
        settings: { electionTimeoutMillis: 1500, heartbeatIntervalMillis: 100, catchUpTimeoutMillis: 2000 },
      },
    });
    await until('the first primary is elected', async () => {
      const hello = await admin.command({ hello: 1 });
      return hello.isWritablePrimary || hello.primary !== undefined ? true : null;
    });
    if (auth) await createRootUser(members);
  } finally {
    await client.close();
  }
}

/** Under access control the first user may be created from the same machine, on the primary. */
async function createRootUser(members: readonly Mongod[]): Promise<void> {
  await until('the first user is created', async () => {
    for (const member of members) {
      const client = new MongoClient(`mongodb://${member.address}/?directConnection=true`);
      try {
        await client.db('admin').command({ createUser: ROOT_USER, pwd: ROOT_PASSWORD, roles: ['root', '__system'] });
        return true;
      } catch (error) {
        if (!(error instanceof MongoServerError)) throw error;
      } finally {
        await client.close();
      }
    }
    return null;
  });
}
