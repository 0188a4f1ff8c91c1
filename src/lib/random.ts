import { randomBytes } from 'node:crypto';

/** The only source of randomness. Tests pass a seeded one. */
export interface Random {
  bytes(count: number): Buffer;
}

export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
