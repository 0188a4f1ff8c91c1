/**
 * Bytes of JSON strings, written at a place of a buffer that has room for them. Each function returns where it ended.
 * What is escaped is what `JSON.stringify` escapes: the quote, the backslash and what is below a space.
 */

/** Most bytes that one byte of a string becomes. */
export const STRING_GROWTH_MAX = 6;

const HEX_DIGITS = '0123456789abcdef';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SHORT_ESCAPES = new Map([
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
]);

/**
 * Per byte: 0 where it stands for itself, 1 where it becomes `\u00xx`, else the character that follows the backslash.
 */
const ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const short = SHORT_ESCAPES.get(byte);
  if (short !== undefined) return short.charCodeAt(0);
  return byte < 0x20 ? 1 : 0;
});

/** Per byte the codes of its two hex digits. */
const HEX_HIGH = Uint8Array.from({ length: 256 }, (_, byte) => HEX_DIGITS.charCodeAt(byte >> 4));
const HEX_LOW = Uint8Array.from({ length: 256 }, (_, byte) => HEX_DIGITS.charCodeAt(byte & 15));

const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
const PADDING = 0x3d;

export function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) out[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** Fixed bytes; short ones, where a call into the runtime would cost more than the loop. */
export function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const { length } = bytes;
  for (let index = 0; index < length; index++) out[at + index] = bytes[index] as number;
  return at + length;
}

/** The bytes from..to with their escapes, without quotes. Bytes of multi-byte characters are passed on as they are. */
export function writeEscaped(out: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  let end = at;
  for (let index = from; index < to; index++) {
    const byte = bytes[index] as number;
    const escaped = ESCAPES[byte] as number;
    if (escaped === 0) out[end++] = byte;
    else end = writeEscape(out, end, byte, escaped);
  }
  return end;
}

/** From so many bytes on it pays to look at four at once and to have the runtime copy what lies between escapes. */
export const LONG_BYTES = 48;
const COPIED_MIN = 24;

/** The same for long runs. `view` is over the same bytes. */
export function writeLongEscaped(
  out: Buffer,
  at: number,
  bytes: Buffer,
  view: DataView,
  from: number,
  to: number,
): number {
  let end = at;
  let clean = from;
  let index = from;
  while (index < to) {
    while (index + 4 <= to && !needsEscape(view.getInt32(index, true))) index += 4;
    const stop = Math.min(index + 4, to);
    if (index - clean >= COPIED_MIN) {
      bytes.copy(out, end, clean, index);
      end += index - clean;
      clean = index;
    }
    end = writeEscaped(out, end, bytes, clean, stop);
    clean = stop;
    index = stop;
  }
  return end;
}

/**
 * Whether one of the four bytes is a quote, a backslash or below a space: a subtraction that borrows from a byte whose
 * highest bit was not set.
 */
function needsEscape(word: number): boolean {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    ((word - 0x20202020) & ~word) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash);
  return (found & 0x80808080) !== 0;
}

function writeEscape(out: Uint8Array, at: number, byte: number, escaped: number): number {
  let end = at;
  out[end++] = BACKSLASH;
  if (escaped !== 1) {
    out[end++] = escaped;
    return end;
  }
  out[end++] = 0x75;
  out[end++] = 0x30;
  out[end++] = 0x30;
  return writeHexByte(out, end, byte);
}

export function writeHexByte(out: Uint8Array, at: number, byte: number): number {
  out[at] = HEX_HIGH[byte] as number;
  out[at + 1] = HEX_LOW[byte] as number;
  return at + 2;
}

export function writeHex(out: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  let end = at;
  for (let index = from; index < to; index++) end = writeHexByte(out, end, bytes[index] as number);
  return end;
}

export function writeBase64(out: Buffer, at: number, bytes: Buffer, from: number, to: number): number {
  if (to - from >= LONG_BYTES * 2) return at + out.write(bytes.toString('base64', from, to), at, 'latin1');
  let end = at;
  let index = from;
  for (; index + 2 < to; index += 3) {
    const group = ((bytes[index] as number) << 16) | ((bytes[index + 1] as number) << 8) | (bytes[index + 2] as number);
    out[end++] = BASE64[group >> 18] as number;
    out[end++] = BASE64[(group >> 12) & 63] as number;
    out[end++] = BASE64[(group >> 6) & 63] as number;
    out[end++] = BASE64[group & 63] as number;
  }
  if (index === to) return end;
  const two = index + 1 < to;
  const group = ((bytes[index] as number) << 16) | (two ? (bytes[index + 1] as number) << 8 : 0);
  out[end++] = BASE64[group >> 18] as number;
  out[end++] = BASE64[(group >> 12) & 63] as number;
  out[end++] = two ? (BASE64[(group >> 6) & 63] as number) : PADDING;
  out[end++] = PADDING;
  return end;
}
