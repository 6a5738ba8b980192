// Edits of mappings and lists as splices of the source text, in the style (block or flow) that stands there.
// It reads positions from the parsed document and collects splices; nothing else of the text changes.

import { isMap, isScalar, isSeq, Scalar } from 'yaml';
import type { Node, YAMLMap, YAMLSeq } from 'yaml';
import type { Splice } from './splice.ts';
import {
  columnAt,
  contentEnd,
  isBlockScalar,
  isFlow,
  keyOf,
  keyText,
  nextLine,
  pairOf,
  pairStart,
  startOf,
} from './yaml-places.ts';
import type { PlacedPair } from './yaml-places.ts';
import { blockText, flowText, literalText, pairText, scalarText } from './yaml-text.ts';
import type { YamlValue } from './yaml-text.ts';

export class YamlEditor {
  readonly splices: Splice[] = [];
  readonly #text: string;
  readonly #listIndent: number;

  /** `listIndent`: how far the source indents lists below their key. */
  constructor(text: string, listIndent: number) {
    this.#text = text;
    this.#listIndent = listIndent;
  }

  /** Sets a key to a scalar, a list or a mapping; adds the key when it is missing. */
  set(map: YAMLMap, key: string, value: YamlValue): void {
    const pair = pairOf(map, key);
    if (pair === undefined) return this.#addPair(map, key, value);
    const old = pair.value;
    const oneLine = isScalar(old) && !isBlockScalar(old) && typeof value !== 'object';
    if (isFlow(map)) return this.#replace(old, pair, flowText(value));
    if (oneLine && old.range) return this.#replace(old, pair, scalarText(value));
    return this.#rewrite(pair, pairText(key, value, this.#columnOf(map), this.#listIndent));
  }

  /** Sets a key to a script: a block literal, or a quoted string in flow style. */
  setScript(map: YAMLMap, key: string, script: string): void {
    const pair = pairOf(map, key);
    if (pair === undefined || isFlow(map)) return this.set(map, key, script);
    const literal = literalText(script, this.#columnOf(map) + 2);
    const [comment, end] = this.#lineComment(pair);
    const [header = '', ...lines] = literal.split('\n');
    const text = `${key}: ${header}${comment}\n${lines.join('\n')}\n`;
    this.splices.push({ start: pairStart(pair), end, text });
  }

  /** Puts lines at the beginning of a script, behind its shebang. */
  insertInScript(map: YAMLMap, key: string, lines: string): void {
    const value = pairOf(map, key)?.value;
    if (!isScalar(value)) return;
    const script = String(value.value);
    const shebang = /^#![^\n]*\n/.exec(script)?.[0] ?? '';
    const start = nextLine(this.#text, startOf(value) + 1);
    const indent = /^ */.exec(this.#text.slice(start))?.[0] ?? '';
    // A literal block that begins with its own first line; any other is written anew.
    const isPlain =
      value.type === Scalar.BLOCK_LITERAL && this.#text.startsWith(`${indent}${script.split('\n')[0]}\n`, start);
    if (!isPlain) return this.setScript(map, key, shebang + lines + script.slice(shebang.length));
    const at = shebang === '' ? start : nextLine(this.#text, start + 1);
    this.splices.push({ start: at, end: at, text: lines.replace(/^(?=.)/gm, indent) });
  }

  /** All keys at once: what stands between two of them belongs to neither. */
  remove(map: YAMLMap, keys: readonly string[]): void {
    const isGone = (pair: unknown) => keys.includes(keyText(keyOf(pair)));
    const kept = map.items.map((pair, index) => (isGone(pair) ? -1 : index)).filter((index) => index >= 0);
    const [firstKept = map.items.length, lastKept = -1] = [kept[0], kept.at(-1)];
    for (const [index, pair] of map.items.entries()) {
      const key = keyOf(pair);
      if (key === undefined || !isGone(pair)) continue;
      const next = keyOf(map.items[index + 1]) === undefined ? undefined : pairStart(map.items[index + 1]);
      const last = map.items[lastKept];
      // In flow style a comma goes with each entry; the first keys of a list item share its line with the dash.
      if (next !== undefined && (isFlow(map) ? index < lastKept : index < firstKept))
        this.splices.push({ start: pairStart(pair), end: next, text: '' });
      else if (!isFlow(map)) this.#removeLines(pair);
      else {
        const from = index === lastKept + 1 && last !== undefined ? contentEnd(this.#text, last) : pairStart(pair);
        this.splices.push({
          start: from,
          end: next ?? contentEnd(this.#text, pair),
          text: '',
        });
      }
    }
  }

  #removeLines(pair: unknown): void {
    const start = pairStart(pair);
    const end = nextLine(this.#text, contentEnd(this.#text, pair));
    this.splices.push({ start: start - columnAt(this.#text, start), end, text: '' });
  }

  /** The same value under another key of the mapping. */
  rename(map: YAMLMap, key: string, to: string): void {
    const found = pairOf(map, key)?.key;
    if (found === undefined) return;
    const start = startOf(found);
    const quote = /["']/.exec(this.#text[start] ?? '')?.[0] ?? '';
    this.splices.push({ start, end: found.range?.[1] ?? start, text: `${quote}${to}${quote}` });
  }

  /** Another key with another value in the place of a key. */
  replacePair(map: YAMLMap, key: string, to: string, value: YamlValue): void {
    const pair = pairOf(map, key);
    if (pair === undefined) return;
    if (!isFlow(map)) return this.#rewrite(pair, pairText(to, value, this.#columnOf(map), this.#listIndent));
    this.rename(map, key, to);
    this.#replace(pair.value, pair, flowText(value));
  }

  /** Appends to the list at `key`, which is made when it is missing or empty. */
  append(map: YAMLMap, key: string, items: readonly YamlValue[]): void {
    if (items.length === 0) return;
    const list = pairOf(map, key)?.value;
    if (!isSeq(list) || (list.items.length === 0 && !isFlow(map))) return this.set(map, key, items);
    if (isFlow(list)) return this.#insertInFlow(list, items.map(flowText));
    const column = list.srcToken?.type === 'block-seq' ? list.srcToken.indent : this.#columnOf(list);
    this.insertLines(contentEnd(this.#text, list), blockText(items, column, this.#listIndent), column, 0.5);
  }

  /** Puts lines after the line that ends at an offset; the first one gets the indentation of `column`. */
  insertLines(after: number, lines: string, column: number, deeper = 0): void {
    const at = nextLine(this.#text, after);
    const text = `${' '.repeat(column)}${lines}${lines.endsWith('\n') ? '' : '\n'}`;
    this.splices.push({ start: at, end: at, text, depth: column + deeper });
  }

  #addPair(map: YAMLMap, key: string, value: YamlValue): void {
    if (isFlow(map)) return this.#insertInFlow(map, [`${flowText(key)}: ${flowText(value)}`]);
    const column = this.#columnOf(map);
    this.insertLines(contentEnd(this.#text, map), pairText(key, value, column, this.#listIndent), column);
  }

  #insertInFlow(collection: YAMLMap | YAMLSeq, entries: readonly string[]): void {
    const close = (collection.range?.[1] ?? 1) - 1;
    const last = collection.items.at(-1);
    if (last === undefined) {
      this.splices.push({ start: close, end: close, text: entries.join(', ') });
      return;
    }
    const end = contentEnd(this.#text, last);
    const rest = this.#text.slice(end, close).replace(/#[^\n]*/g, (comment) => ' '.repeat(comment.length));
    const comma = rest.indexOf(',');
    const at = comma < 0 ? end : end + comma + 1;
    const added = entries.join(', ');
    this.splices.push({ start: at, end: at, text: comma < 0 ? `, ${added}` : ` ${added},` });
  }

  #replace(old: Node | null, pair: PlacedPair, text: string): void {
    const start = old === null ? contentEnd(this.#text, pair) : startOf(old);
    const end = contentEnd(this.#text, pair);
    const gap = start === end && this.#text[start - 1] !== ' ' ? ' ' : '';
    this.splices.push({ start, end, text: gap + text });
  }

  /** Replaces a whole entry; a comment at the end of its last line goes to the first one. */
  #rewrite(pair: PlacedPair, text: string): void {
    const start = pairStart(pair);
    const end = contentEnd(this.#text, pair);
    if (this.#text[end - 1] === '\n') {
      this.splices.push({ start, end, text: `${text}\n` });
      return;
    }
    const [rest = '', comment] = /^[ \t]*(#[^\n]*)?/.exec(this.#text.slice(end)) ?? [];
    const [first = '', ...lines] = text.split('\n');
    const withComment = comment === undefined ? first : `${first} ${comment}`;
    this.splices.push({ start, end: end + rest.length, text: [withComment, ...lines].join('\n') });
  }

  /** The comment beside a scalar, with a space before it, and the end of its last line. */
  #lineComment(pair: PlacedPair): [string, number] {
    const end = contentEnd(this.#text, pair);
    const lineEnd = nextLine(this.#text, end);
    const where = isBlockScalar(pair.value) && pair.value ? startOf(pair.value) : end;
    const line = this.#text.slice(where, nextLine(this.#text, where + 1));
    const comment = /(?:^|\s)(#[^\n]*)/.exec(line)?.[1];
    return [comment === undefined ? '' : ` ${comment}`, lineEnd];
  }

  #columnOf(collection: YAMLMap | YAMLSeq): number {
    // Not that of the first key, which may have an anchor or a tag in front of it.
    if (collection.srcToken?.type === 'block-map') return collection.srcToken.indent;
    const first = isMap(collection) ? keyOf(collection.items[0]) : undefined;
    return columnAt(this.#text, first === undefined ? startOf(collection) : startOf(first));
  }
}
