import { bsonType, documentLength, MalformedBson, valueLength } from '../../bson/raw-bson.ts';
import { ColumnStream, type ColumnValue } from './column-stream.ts';

/**
 * BSON columns (binary subtype 7), in which MongoDB keeps the fields of closed time-series buckets. Pure.
 *
 * A column is a row of control bytes up to a NUL. A type byte of BSON is followed by a value as it is; bytes from 0x80
 * to 0xdf by words of differences (`simple8b.ts`). 0xf0 to 0xf2 begin a run of documents or arrays of one shape: a
 * reference document follows, and then for each of its values that are no documents a stream of its own, in the order
 * in which a reader needs them, up to a NUL.
 */
export function decodeColumn(bytes: Buffer): (ColumnValue | null)[] {
  const values: (ColumnValue | null)[] = [];
  let stream = new ColumnStream(null, false);
  for (let at = 0; ; ) {
    const control = bytes[at];
    if (control === undefined) throw new MalformedBson('a column has no end');
    if (control === 0) return values;
    if (control >= 0xf0 && control <= 0xf2) {
      at = decodeShaped(bytes, at, values);
      stream = new ColumnStream(values.at(-1) ?? null, false);
      continue;
    }
    at = readControl(stream, bytes, at, values);
    while (!stream.isEmpty) values.push(stream.take());
  }
}

/** Reads a literal, which becomes a value, or loads differences. Returns where it ended. */
function readControl(stream: ColumnStream, bytes: Buffer, at: number, values: (ColumnValue | null)[]): number {
  const control = bytes[at] as number;
  if (!isLiteral(control)) return stream.load(bytes, at);
  if (bytes[at + 1] !== 0) throw new MalformedBson(`a value of a column at byte ${at} has a name`);
  const from = at + 2;
  const end = from + valueLength(bytes, control, from, bytes.length);
  const literal = { type: control, value: bytes.subarray(from, end) };
  stream.setLiteral(literal);
  values.push(literal);
  return end;
}

function isLiteral(control: number): boolean {
  return (control & 0xe0) === 0 || control === 0x7f || control === 0xff;
}

const SHAPED_WITHOUT_ARRAYS = 0xf0;
const SHAPED_ARRAY = 0xf2;

function decodeShaped(bytes: Buffer, start: number, values: (ColumnValue | null)[]): number {
  const control = bytes[start] as number;
  const length = documentLength(bytes, start + 1);
  const shape = new Shape(bytes.subarray(start + 1, start + 1 + length), control !== SHAPED_WITHOUT_ARRAYS);
  const type = control === SHAPED_ARRAY ? bsonType.array : bsonType.document;
  let at = start + 1 + length;
  const next = (stream: ColumnStream): ColumnValue | null => {
    if (!stream.isEmpty) return stream.take();
    const literals: (ColumnValue | null)[] = [];
    if (bytes[at] === undefined || bytes[at] === 0) throw new MalformedBson('a column of documents breaks off');
    at = readControl(stream, bytes, at, literals);
    return literals.length > 0 ? (literals[0] ?? null) : stream.take();
  };
  while (!(shape.isAtRest && bytes[at] === 0)) {
    const value = shape.fill(next);
    values.push(value === null ? null : { type, value });
  }
  return at + 1;
}

type Leaf = { head: Buffer; stream: ColumnStream };
type Branch = { head: Buffer; branches: (Leaf | Branch)[] };

/** A reference document: how values that are no documents are put together to one of its shape. */
class Shape {
  readonly #root: Branch;
  readonly #leaves: ColumnStream[] = [];

  constructor(reference: Buffer, arrays: boolean) {
    this.#root = { head: Buffer.alloc(0), branches: this.#branchesOf(reference, arrays) };
    if (this.#leaves.length === 0) throw new MalformedBson('a column has a reference document without values');
  }

  /** Whether the first value needs another control byte: only there can the run end. */
  get isAtRest(): boolean {
    return (this.#leaves[0] as ColumnStream).isEmpty;
  }

  /** A document, or null where every value of it is missing. */
  fill(next: (stream: ColumnStream) => ColumnValue | null): Buffer | null {
    return filled(this.#root, next);
  }

  #branchesOf(document: Buffer, arrays: boolean): (Leaf | Branch)[] {
    const branches: (Leaf | Branch)[] = [];
    const limit = documentLength(document, 0) - 1;
    for (let at = 4; at < limit; ) {
      const type = document[at] as number;
      const from = document.indexOf(0, at + 1) + 1;
      const to = from + valueLength(document, type, from, limit);
      const head = document.subarray(at, from);
      const value = document.subarray(from, to);
      if (type === bsonType.document || (arrays && type === bsonType.array)) {
        branches.push({ head, branches: this.#branchesOf(value, arrays) });
      } else {
        const stream = new ColumnStream({ type, value }, true);
        this.#leaves.push(stream);
        branches.push({ head, stream });
      }
      at = to;
    }
    return branches;
  }
}

/** A part of which nothing is there is left out, unless there was nothing in the reference either. */
function filled(branch: Branch, next: (stream: ColumnStream) => ColumnValue | null): Buffer | null {
  const parts: Buffer[] = [];
  for (const one of branch.branches) {
    if ('branches' in one) {
      const document = filled(one, next);
      if (document !== null) parts.push(one.head, document);
    } else {
      const found = next(one.stream);
      if (found !== null) parts.push(Buffer.from([found.type]), one.head.subarray(1), found.value);
    }
  }
  return parts.length === 0 && branch.branches.length > 0 ? null : documentOfParts(parts);
}

/** The document of elements in pieces. */
export function documentOfParts(parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 5);
  const head = Buffer.allocUnsafe(4);
  head.writeInt32LE(length);
  return Buffer.concat([head, ...parts, Buffer.alloc(1)], length);
}
