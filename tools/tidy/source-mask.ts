const KEYWORDS_BEFORE_REGEX = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|do|else|await|yield)$/;

/**
 * TypeScript with every comment and the contents of every string, template and regular expression replaced by spaces
 * (line ends stay), so that plain patterns over the result meet code only. Quotes and `${`…`}` stay where they were. A
 * scanner, not a parser: TypeScript 7 has no stable one for us to use.
 */
export function maskSource(text: string): string {
  const out = text.split('');
  // One entry for each template literal whose `${` is open: the depth of braces inside it.
  const templates: number[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    const pair = text.slice(at, at + 2);
    if (pair === '//' || (at === 0 && pair === '#!')) at = blank(out, at, lineEnd(text, at));
    else if (pair === '/*') at = blank(out, at, after(text, '*/', at + 2));
    else if (char === "'" || char === '"') at = maskQuoted(text, out, at, char);
    else if (char === '`') at = maskTemplate(text, out, at + 1, templates);
    else if (char === '/' && startsRegex(out, at)) at = maskRegex(text, out, at);
    else if (templates.length > 0 && (char === '{' || char === '}')) {
      const depth = (templates[templates.length - 1] as number) + (char === '{' ? 1 : -1);
      templates[templates.length - 1] = depth;
      at++;
      if (depth === 0) {
        templates.pop();
        at = maskTemplate(text, out, at, templates);
      }
    } else at++;
  }
  return out.join('');
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + mark.length;
}

function blank(out: string[], from: number, to: number): number {
  for (let at = from; at < to; at++) if (out[at] !== '\n') out[at] = ' ';
  return to;
}

/** Past the closing quote; a line end closes it as well, so that one odd quote cannot blank the rest of the file. */
function maskQuoted(text: string, out: string[], open: number, quote: string): number {
  let at = open + 1;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  blank(out, open + 1, Math.min(at, text.length));
  return at + 1;
}

/** From just inside a template to past its end, or to past the next `${`, which is then counted in `templates`. */
function maskTemplate(text: string, out: string[], from: number, templates: number[]): number {
  let at = from;
  while (at < text.length && text[at] !== '`' && text.slice(at, at + 2) !== '${') at += text[at] === '\\' ? 2 : 1;
  blank(out, from, Math.min(at, text.length));
  if (text[at] === '$') {
    templates.push(1);
    return at + 2;
  }
  return at + 1;
}

/**
 * A slash divides after a value and opens a regular expression elsewhere. Looks at what is already masked, so comments
 * do not count.
 */
function startsRegex(out: string[], slash: number): boolean {
  let at = slash - 1;
  while (at >= 0 && /\s/.test(out[at] as string)) at--;
  if (at < 0) return true;
  const before = out[at] as string;
  if (/[\w$]/.test(before)) return KEYWORDS_BEFORE_REGEX.test(out.slice(Math.max(0, at - 12), at + 1).join(''));
  return !/[)\]"'`]/.test(before);
}

function maskRegex(text: string, out: string[], open: number): number {
  let inClass = false;
  let at = open + 1;
  for (; at < text.length && text[at] !== '\n'; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) break;
  }
  blank(out, open + 1, Math.min(at, text.length));
  return at + 1;
}
