import { orAbort } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';

/** What the replica sets had begun together is over: one of them could not go on. All begin again. */
export class RoundVoid extends Error {
  override readonly name = 'RoundVoid';
}

/** What is held while the replica sets work together. `giveBack` succeeds where nothing is held. */
export interface SharedHold {
  take(): Promise<void>;
  giveBack(): Promise<void>;
}

/** A round, as one replica set sees it. Whatever waits for others rejects with RoundVoid once the round is over. */
export interface JointRound {
  /** Resolves when all have joined. Until then everybody goes on with its own work. */
  readonly gathered: Promise<void>;
  /** Resolves when all have come this far and the hold is taken. */
  begin(): Promise<void>;
  /** Everybody's values, in no particular order. */
  meet<T>(value: T): Promise<T[]>;
  /** This replica set cannot go on: the round is over for everybody. */
  leave(): void;
  /** This replica set is done. */
  end(): void;
}

/**
 * The takes of several replica sets that have to come to one time work in lockstep. A round is joined, begun, and
 * proceeds by meetings to which each brings a value and takes away everybody's; it is over when all have ended it or
 * one has left it. One round at a time. The hold is taken when a round begins and given back as soon as it is over.
 */
export class Agreement {
  readonly #replicaSets: number;
  readonly #hold: SharedHold;
  readonly #signal: AbortSignal;
  #round: Round;
  #released: Promise<void> = Promise.resolve();
  /**
   * The taking of the hold that was begun last: it is given back only once that has come to its end, else what was
   * given back might be taken after it.
   */
  #taking: Promise<void> = Promise.resolve();

  constructor(replicaSets: number, hold: SharedHold, signal: AbortSignal) {
    assert(replicaSets >= 1, 'an agreement is between replica sets');
    this.#replicaSets = replicaSets;
    this.#hold = hold;
    this.#signal = signal;
    this.#round = new Round(replicaSets);
  }

  join(): JointRound {
    const round = this.#round;
    round.joined++;
    assert(round.joined <= this.#replicaSets, 'a replica set joins a round once');
    if (round.joined === this.#replicaSets) round.gathered.resolve();
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
        assert(round.ended <= this.#replicaSets, 'a replica set ends a round once');
        if (round.ended === this.#replicaSets) this.#over(round);
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
      assert(round.joined === this.#replicaSets, 'a round begins when all have joined');
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
    this.#round = new Round(this.#replicaSets);
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
  readonly #replicaSets: number;
  #values: unknown[] = [];
  #meeting = quietly(Promise.withResolvers<unknown[]>());
  #isVoid = false;
  #claimed = false;

  constructor(replicaSets: number) {
    this.#replicaSets = replicaSets;
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
    assert(values.length <= this.#replicaSets, 'each brings one value');
    if (values.length === this.#replicaSets) {
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
