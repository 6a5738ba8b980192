// Replaces the aliases and merge keys that stand in the way of an edit by copies of what they mean.
// Editing an anchored node would change its twins, so either the alias here or the twins elsewhere become text of their own.

import { isAlias, isCollection, isMap, isNode, isPair, isSeq, visit } from 'yaml';
import type { Alias, Document, Node, YAMLMap } from 'yaml';
import type { Path } from './findings.ts';
import { parseDocuments } from './source-document.ts';
import { applySplices, splicesWithin } from './splice.ts';
import type { Splice } from './splice.ts';
import {
  anchorRemovals,
  blockStart,
  columnAt,
  contentEnd,
  isBlockScalar,
  isFlow,
  isPlaced,
  keyText,
  startOf,
} from './yaml-places.ts';
import type { PlacedPair } from './yaml-places.ts';
import { flowText, shiftLines } from './yaml-text.ts';

export interface EditTargets {
  /** Nodes that get new entries or a new value. */
  readonly edited: readonly Path[];
  /** A node that is rewritten and copied as a whole. */
  readonly copied: Path;
}

interface Found {
  readonly alias: Alias;
  readonly ancestors: readonly unknown[];
  readonly path: Path;
  readonly meaning: Node;
}

/** A document that is copied from, with what must not be copied along. */
interface Original {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly anchors: readonly Splice[];
}

export interface Expanded {
  readonly text: string;
  readonly document: Document.Parsed;
}

/** In rounds, each read anew: an expansion may bring further aliases. */
export function expandAliases(
  source: string,
  { index, document: given }: { readonly index: number; readonly document: Document.Parsed },
  targets: EditTargets,
): Expanded {
  let text = source;
  let document = given;
  for (;;) {
    const obstacles = findObstacles(document, targets);
    if (obstacles.length === 0) return { text, document };
    const original = { text, document, anchors: anchorRemovals(text) };
    text = applySplices(text, withoutOverlaps(obstacles.map((obstacle) => expand(original, obstacle))));
    const next = parseDocuments(text)[index];
    if (next === undefined) throw new Error('the Task is gone after expanding its aliases');
    document = next;
  }
}

/** What overlaps waits for the next round. */
function withoutOverlaps(splices: readonly Splice[]): Splice[] {
  let position = -1;
  return [...splices]
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .filter(({ start, end }) => {
      if (start < position) return false;
      position = end;
      return true;
    });
}

function findObstacles(document: Document.Parsed, targets: EditTargets): Found[] {
  const obstacles: Found[] = [];
  const nodes = nodesOf(document, targets);
  // An alias means the last node before it that has its anchor; the parser's own search begins anew for each.
  const anchored = new Map<string, Node>();
  visit(document, {
    Value(_, node) {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
    Alias(key, alias, ancestors) {
      const meaning = anchored.get(alias.source);
      if (meaning === undefined) return;
      const found = { alias, ancestors, path: pathTo(key, ancestors), meaning };
      if (isInTheWay(found, targets, nodes)) obstacles.push(found);
    },
  });
  return obstacles;
}

interface TargetNodes {
  readonly copied: unknown;
  readonly all: readonly unknown[];
}

function nodesOf(document: Document.Parsed, { edited, copied }: EditTargets): TargetNodes {
  const node = (target: Path) => document.getIn(target, true);
  return { copied: node(copied), all: [...edited, copied].map(node) };
}

function isInTheWay({ path, meaning }: Found, { edited, copied }: EditTargets, nodes: TargetNodes): boolean {
  const place = path.at(-1) === '<<' ? path.slice(0, -1) : path;
  if (isWithin(place, copied)) return true;
  if ([...edited, copied].some((target) => isWithin(target, place))) return true;
  const contains = (outer: Node, inner: Node) =>
    startOf(outer) <= startOf(inner) && (outer.range?.[1] ?? 0) >= (inner.range?.[1] ?? 0);
  if (isNode(nodes.copied) && contains(nodes.copied, meaning)) return true;
  return nodes.all.some((target) => isNode(target) && contains(meaning, target));
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((key, index) => path[index] === key);
}

function pathTo(key: unknown, ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  for (const [index, ancestor] of ancestors.entries()) {
    if (isPair(ancestor)) path.push(keyText(ancestor.key));
    const child = ancestors[index + 1];
    if (isSeq(ancestor)) path.push(child === undefined ? Number(key) : ancestor.items.indexOf(child));
  }
  // The list in `<<: [*a, *b]` is part of the merge key.
  const merge = path.indexOf('<<');
  return merge < 0 ? path : path.slice(0, merge + 1);
}

function expand(original: Original, found: Found): Splice {
  const { text, document } = original;
  const mergePair = found.ancestors.findLast(isPlaced);
  const map = found.ancestors.findLast(isMap);
  if (found.path.at(-1) === '<<' && mergePair !== undefined && map !== undefined) {
    return expandMerge(original, mergePair, map);
  }
  const { alias, meaning } = found;
  const parent = found.ancestors.at(-1);
  const end = alias.range?.[1] ?? 0;
  if (found.ancestors.some(isFlow)) {
    return { start: startOf(alias), end, text: flowText(meaning.toJS(document)) };
  }
  const inPair = isPlaced(parent);
  const keyColumn = columnAt(text, startOf(inPair ? parent.key : alias));
  if (isCollection(meaning) && !isFlow(meaning)) {
    const column = inPair ? keyColumn + 2 : keyColumn;
    const copy = copyOf(original, meaning, column).replace(/\n$/, '');
    const start = inPair ? text.slice(0, startOf(alias)).trimEnd().length : startOf(alias);
    return { start, end, text: inPair ? `\n${' '.repeat(column)}${copy}` : copy };
  }
  const column = isBlockScalar(meaning) ? keyColumn - indentOf(meaning) : 0;
  const copy = shiftLines(sliceOf(original, meaning), column).replace(/\n$/, '');
  return { start: startOf(alias), end, text: copy };
}

/** `<<: *base` becomes the entries of the base that the mapping does not set itself. */
function expandMerge(original: Original, merge: PlacedPair, map: YAMLMap): Splice {
  const { text, document } = original;
  const taken = new Set(map.items.map(({ key }) => keyText(key)));
  const column = columnAt(text, startOf(merge.key));
  const flow = isFlow(map);
  const entries: string[] = [];
  for (const pair of entriesOf(merge.value, document)) {
    const { key, value } = pair;
    const name = keyText(key);
    if (taken.has(name)) continue;
    taken.add(name);
    entries.push(
      flow ? `${flowText(name)}: ${flowText(value?.toJS(document) ?? null)}` : copyOf(original, pair, column).trimEnd(),
    );
  }
  const joined = entries.join(flow ? ', ' : `\n${' '.repeat(column)}`);
  return { start: startOf(merge.key), end: contentEnd(text, merge), text: joined };
}

/** What a merge brings: the entries of the base itself, then those that it merges in turn. */
function entriesOf(value: unknown, document: Document.Parsed): PlacedPair[] {
  const base = isAlias(value) ? value.resolve(document) : value;
  if (isSeq(base)) return base.items.flatMap((item) => entriesOf(item, document));
  if (!isMap(base)) return [];
  const pairs = base.items.filter(isPlaced);
  const isMerge = ({ key }: PlacedPair) => keyText(key) === '<<';
  const merged = pairs.filter(isMerge).flatMap((pair) => entriesOf(pair.value, document));
  return [...pairs.filter((pair) => !isMerge(pair)), ...merged];
}

function indentOf({ srcToken }: Node): number {
  return srcToken !== undefined && 'indent' in srcToken ? srcToken.indent : 0;
}

/** The source text of a node or pair, its lines moved to another column. */
function copyOf(original: Original, what: Node | PlacedPair, column: number): string {
  const { text } = original;
  const start = 'key' in what ? startOf(what.key) : blockStart(text, what);
  const end = 'key' in what ? contentEnd(text, what.value ?? what.key) : contentEnd(text, what);
  return shiftLines(cleanSlice(original, start, end), column - columnAt(text, start));
}

function sliceOf(original: Original, node: Node): string {
  return cleanSlice(original, startOf(node), contentEnd(original.text, node));
}

function cleanSlice({ text, anchors }: Original, start: number, end: number): string {
  return applySplices(text.slice(start, end), splicesWithin(anchors, start, end));
}
