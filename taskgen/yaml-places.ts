// Where things of a parsed document stand in its text: ends of content, columns, anchors.
// Offsets only; what is written there is decided by yaml-editor.ts and alias-expansion.ts.

import { isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, Parser, Scalar } from 'yaml';
import type { Node, Pair, YAMLMap } from 'yaml';
import type { Splice } from './splice.ts';

export function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** Where the entry of a mapping begins: at the question mark that can stand before its key. */
export function pairStart(pair: unknown): number {
  if (!isPlaced(pair)) return 0;
  const mark = pair.srcToken?.start.find(({ type }) => type === 'explicit-key-ind');
  return mark?.offset ?? startOf(pair.key);
}

/** With the anchor or tag of its first key, which a block mapping's own position leaves out. */
export function blockStart(text: string, node: Node): number {
  const start = startOf(node);
  if (!isMap(node) || node.srcToken?.type !== 'block-map') return start;
  return start - columnAt(text, start) + node.srcToken.indent;
}

/** Where the content of a node ends: before comments and blank lines that only follow it. */
export function contentEnd(text: string, node: unknown): number {
  if (isPair(node)) return contentEnd(text, node.value ?? node.key);
  if (isCollection(node) && !isFlow(node)) {
    const last = node.items.at(-1);
    if (last !== undefined) return contentEnd(text, last);
  }
  if (isScalar(node) || isAlias(node) || isCollection(node)) {
    const [start, end] = node.range ?? [0, 0];
    return isBlockScalar(node) ? start + trimBlock(text.slice(start, end)).length : end;
  }
  return 0;
}

/** Blank lines after a block scalar belong to what follows, unless its header says to keep them. */
function trimBlock(slice: string): string {
  return /^[|>][0-9]*\+/.test(slice) ? slice : slice.replace(/\n\s*$/, '\n');
}

export function isBlockScalar(node: unknown): boolean {
  return isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
}

export function isFlow(node: unknown): boolean {
  return isCollection(node) && node.srcToken?.type === 'flow-collection';
}

export type PlacedPair = Pair<Node, Node | null>;

/** Whether a pair comes from the text, as all pairs of a parsed document do. */
export function isPlaced(pair: unknown): pair is PlacedPair {
  return isPair(pair) && isNode(pair.key) && (pair.value === null || isNode(pair.value));
}

export function keyOf(pair: unknown): Node | undefined {
  return isPlaced(pair) ? pair.key : undefined;
}

/** A key as it is written; the parser turns the merge key into a symbol. */
export function keyText(key: unknown): string {
  if (!isScalar(key)) return '';
  return typeof key.value === 'symbol' ? (key.value.description ?? '') : String(key.value);
}

/** How far the lists of a mapping stand to the right of their keys: 0 or 2 in most files. */
export function listIndentOf(text: string, map: YAMLMap, key: string): number {
  const pair = pairOf(map, key);
  if (!isSeq(pair?.value) || pair.value.srcToken?.type !== 'block-seq') return 0;
  return Math.max(0, pair.value.srcToken.indent - columnAt(text, startOf(pair.key)));
}

export function columnAt(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** Start of the line after the one that holds the character before `offset`. */
export function nextLine(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

export function pairOf(map: YAMLMap, key: string): PlacedPair | undefined {
  return map.items.filter(isPlaced).find((pair) => keyText(pair.key) === key);
}

export function mapAt(map: YAMLMap, key: string): YAMLMap | undefined {
  const value = pairOf(map, key)?.value;
  return isMap(value) ? value : undefined;
}

/** Splices that remove the anchors of a text: a copy of a part must not define them a second time. */
export function anchorRemovals(text: string): Splice[] {
  const removals: Splice[] = [];
  // Scripts are full of && and 2>&1: only what can be an anchor is worth the parsing.
  if (/(?:^|[\s[{,])&[^\s&[\]{},]/m.test(text))
    for (const token of new Parser().parse(text)) collectAnchors(text, token, removals);
  return removals;
}

function collectAnchors(text: string, token: unknown, found: Splice[]): void {
  if (Array.isArray(token)) for (const item of token) collectAnchors(text, item, found);
  if (typeof token !== 'object' || token === null || Array.isArray(token)) return;
  if ('type' in token && token.type === 'anchor' && 'offset' in token && 'source' in token) {
    const from = Number(token.offset);
    const to = from + String(token.source).length;
    // One space goes too: the one after it, or, at the end of a line, the one before.
    const spaceAfter = text[to] === ' ';
    const spaceBefore = !spaceAfter && text[from - 1] === ' ';
    found.push({ start: spaceBefore ? from - 1 : from, end: spaceAfter ? to + 1 : to, text: '' });
    return;
  }
  for (const value of Object.values(token)) if (typeof value === 'object') collectAnchors(text, value, found);
}
