/** The part of a file that a request asks for (RFC 9110, section 14). Pure. */
export interface ByteRange {
  /** The first byte, and the one after the last. */
  from: number;
  to: number;
}

/**
 * Null: the whole file. That is also the answer to several ranges and to what cannot be read, which a server may leave
 * unheeded. `unsatisfiable`: it begins after the end. `size` is at least 1.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { from: size - length, to: size };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return null;
  if (from >= size) return 'unsatisfiable';
  return { from, to: last === '' ? size : Math.min(Number(last) + 1, size) };
}
