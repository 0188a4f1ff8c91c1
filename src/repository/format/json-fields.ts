import { Damage } from '../../lib/errors.ts';
import { isId } from '../../lib/ids.ts';

/**
 * A JSON object read field by field; what is absent or of another type is Damage that names the field. Unknown fields
 * are left alone.
 */
export class JsonFields {
  readonly #fields: Record<string, unknown>;
  readonly #subject: string;

  constructor(value: unknown, subject: string) {
    this.#subject = subject;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.damaged('it is not an object');
    this.#fields = value as Record<string, unknown>;
  }

  damaged(why: string): Damage {
    return new Damage({ op: 'read fields', subject: this.#subject, message: `${this.#subject} is not valid: ${why}` });
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string') throw this.damaged(`\`${name}\` is not a string`);
    return value;
  }

  textOrNull(name: string): string | null {
    return this.#fields[name] === null ? null : this.text(name);
  }

  /** A string of the closed set. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.text(name);
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw this.damaged(`\`${name}\` is not one of ${allowed.join(', ')}`);
    return found;
  }

  /** 24 hex digits. */
  id(name: string): string {
    const value = this.text(name);
    if (!isId(value)) throw this.damaged(`\`${name}\` is not an id`);
    return value;
  }

  hex(name: string, digits: number): string {
    const value = this.text(name);
    if (value.length !== digits || !/^[0-9a-f]*$/.test(value))
      throw this.damaged(`\`${name}\` is not ${digits} hex digits`);
    return value;
  }

  /** A time of RFC 3339, kept as it is written. */
  time(name: string): string {
    const value = this.text(name);
    if (Number.isNaN(Date.parse(value))) throw this.damaged(`\`${name}\` is not a time`);
    return value;
  }

  /** An integer from 0 up. */
  count(name: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
      throw this.damaged(`\`${name}\` is not a count`);
    }
    return value;
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw this.damaged(`\`${name}\` is not true or false`);
    return value;
  }

  base64(name: string): Buffer {
    return this.#decoded(this.text(name), name);
  }

  list(name: string): unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.damaged(`\`${name}\` is not a list`);
    return value;
  }

  objects(name: string): JsonFields[] {
    return this.list(name).map((value, index) => new JsonFields(value, `${this.#subject} (${name} ${index})`));
  }

  texts(name: string): string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string') throw this.damaged(`\`${name}\` holds what is not a string`);
      return value;
    });
  }

  base64List(name: string): Buffer[] {
    return this.texts(name).map((value) => this.#decoded(value, name));
  }

  object(name: string): JsonFields {
    return new JsonFields(this.#fields[name], `${this.#subject} (${name})`);
  }

  objectOrNull(name: string): JsonFields | null {
    return this.#fields[name] === null ? null : this.object(name);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  #decoded(value: string, name: string): Buffer {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.toString('base64') !== value) throw this.damaged(`\`${name}\` is not base64`);
    return bytes;
  }
}
