import { orAbort } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';

/** What the parties had begun together is over: one of them could not go on. All begin again. */
export class RoundVoid extends Error {
  override readonly name = 'RoundVoid';
}

/** What is held while the parties work together. `giveBack` succeeds where nothing is held. */
export interface SharedHold {
  take(): Promise<void>;
  giveBack(): Promise<void>;
}

/** One party's part in a round. Whatever waits for others rejects with RoundVoid once the round is over. */
export interface JointRound {
  /** Resolves when all have joined. Until then everybody goes on with its own work. */
  readonly gathered: Promise<void>;
  /** Resolves when all have come this far and the hold is taken. */
  begin(): Promise<void>;
  /** Everybody's values, in no particular order. */
  meet<T>(value: T): Promise<T[]>;
  /** This party cannot go on: the round is over for everybody. */
  leave(): void;
  /** This party is done. */
  end(): void;
}

/**
 * Several captures that have to come to one time work in lockstep. A round is joined, begun, and proceeds by meetings
 * to which each party brings a value and takes away everybody's; it is over when all have ended it or one has left it.
 * One round at a time. The hold is taken when a round begins and given back as soon as it is over.
 */
export class Agreement {
  readonly #parties: number;
  readonly #hold: SharedHold;
  readonly #signal: AbortSignal;
  #round: Round;
  #released: Promise<void> = Promise.resolve();
  /**
   * The taking of the hold that was begun last: it is given back only once that has come to its end, else what was
   * given back might be taken after it.
   */
  #taking: Promise<void> = Promise.resolve();

  constructor(parties: number, hold: SharedHold, signal: AbortSignal) {
    assert(parties >= 1, 'an agreement has parties');
    this.#parties = parties;
    this.#hold = hold;
    this.#signal = signal;
    this.#round = new Round(parties);
  }

  join(): JointRound {
    const round = this.#round;
    round.joined++;
    assert(round.joined <= this.#parties, 'a party joins a round once');
    if (round.joined === this.#parties) round.gathered.resolve();
    const wait = async <T>(promise: Promise<T>): Promise<T> => await orAbort(promise, this.#signal);
    return {
      gathered: wait(round.gathered.promise),
      begin: async () => {
        if ((await wait(round.meet(null))).length > 0 && round.claimBegin()) void this.#begin(round);
        await wait(round.begun.promise);
      },
      meet: async <T>(value: T) => (await wait(round.meet(value))) as T[],
      leave: () => this.#over(round),
      end: () => {
        round.ended++;
        if (round.ended === this.#parties) this.#over(round);
      },
    };
  }

  /** Ends what is under way and resolves when nothing is held any more; rejects where it could not be given back. */
  async settled(): Promise<void> {
    this.#over(this.#round);
    await this.#released;
  }

  async #begin(round: Round): Promise<void> {
    try {
      await this.#released;
      if (this.#round !== round) return;
      this.#taking = this.#hold.take();
      await this.#taking;
      round.begun.resolve();
    } catch (error) {
      round.begun.reject(error);
      this.#over(round);
    }
  }

  #over(round: Round): void {
    if (this.#round !== round) return;
    this.#round = new Round(this.#parties);
    round.makeVoid();
    const before = Promise.allSettled([this.#released, this.#taking]);
    this.#released = before.then(async () => await this.#hold.giveBack());
    this.#released.catch(() => undefined); // told by `settled`, and by the round that follows
  }
}

class Round {
  joined = 0;
  ended = 0;
  readonly gathered = quietly(Promise.withResolvers<void>());
  readonly begun = quietly(Promise.withResolvers<void>());
  readonly #parties: number;
  #values: unknown[] = [];
  #meeting = quietly(Promise.withResolvers<unknown[]>());
  #isVoid = false;
  #claimed = false;

  constructor(parties: number) {
    this.#parties = parties;
  }

  /** True for the first who asks. */
  claimBegin(): boolean {
    const first = !this.#claimed;
    this.#claimed = true;
    return first;
  }

  async meet(value: unknown): Promise<unknown[]> {
    if (this.#isVoid) throw new RoundVoid();
    const meeting = this.#meeting;
    const values = this.#values;
    values.push(value);
    if (values.length === this.#parties) {
      this.#values = [];
      this.#meeting = quietly(Promise.withResolvers<unknown[]>());
      meeting.resolve(values);
    }
    return await meeting.promise;
  }

  makeVoid(): void {
    this.#isVoid = true;
    for (const waiting of [this.#meeting, this.gathered, this.begun]) waiting.reject(new RoundVoid());
  }
}

/** Nobody may be waiting when a round is given up. */
function quietly<T>(one: PromiseWithResolvers<T>): PromiseWithResolvers<T> {
  one.promise.catch(() => undefined);
  return one;
}
