import type { Document } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import type { Mongod } from './mongod.ts';
import type { Network } from './network.ts';
import { type ReplicaSet, until } from './replica-set.ts';

/** What can befall a replica set, or the network or the store that work on it needs. */
export const squalls = ['stepDown', 'kill', 'freeze', 'cut', 'swallow', 'store'] as const;
export type Squall = (typeof squalls)[number];

export interface Struck {
  /** Called when the work waits, or has ended. Brings back what only waiting for could bring back. */
  pass: () => void;
  /** After the work: everything is as it was. */
  over: () => Promise<void>;
}

/** A store that can be switched off. */
export interface Switch {
  down: boolean;
}

/** Lets it begin, at once. `primary` is that of the set. */
export function strike(
  squall: Squall,
  { set, primary, network, store }: { set: ReplicaSet; primary: Mongod; network: Network; store: Switch },
): Struck {
  const elected = async () => await until('another member is primary', async () => await primaryBut(set, primary));
  switch (squall) {
    case 'stepDown': {
      const stepDown = { replSetStepDown: 5, secondaryCatchUpPeriodSecs: 2, force: true };
      const told = set.command(primary, stepDown).catch((error: unknown) => error);
      return { pass: () => undefined, over: async () => void (await told) };
    }
    case 'kill': {
      const killed = primary.kill();
      return {
        pass: () => undefined,
        over: async () => {
          await killed;
          await primary.restart();
        },
      };
    }
    case 'freeze': {
      primary.freeze();
      // It comes back while the work goes on with the next one, and believes for a moment that it is primary.
      const thawed = elected().finally(() => primary.thaw());
      thawed.catch(() => undefined);
      return { pass: () => undefined, over: async () => void (await thawed) };
    }
    case 'cut':
      network.cut();
      return { pass: () => network.mend(), over: async () => network.mend() };
    case 'swallow':
      network.swallow();
      return { pass: () => network.mend(), over: async () => network.mend() };
    case 'store': {
      store.down = true;
      const up = () => {
        store.down = false;
      };
      return { pass: up, over: async () => up() };
    }
  }
}

async function primaryBut(set: ReplicaSet, former: Mongod): Promise<Mongod | null> {
  for (const member of set.members) {
    if (member === former || !member.running) continue;
    const hello: Document | null = await set.command(member, { hello: 1 }).catch(() => null);
    if (hello?.isWritablePrimary === true) return member;
  }
  return null;
}

/** Deals out: every part of `what` as often as the others, in an order of chance. */
export function shuffled<T>(what: readonly T[], below: (limit: number) => number): T[] {
  const left = [...what];
  return what.map(() => must(left.splice(below(left.length), 1)[0], 'as many as there are'));
}
