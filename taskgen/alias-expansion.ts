// Replaces the aliases and merge keys that stand in the way of an edit by copies of what they mean.
// Editing an anchored node would change its twins, so either the alias here or the twins elsewhere become text of their own.

import { isAlias, isCollection, isMap, isNode, isPair, isSeq, visit } from 'yaml';
import type { Alias, Document, Node, YAMLMap } from 'yaml';
import type { Path } from './findings.ts';
import { parseDocuments } from './source-document.ts';
import { applySplices, splicesWithin } from './splice.ts';
import {
  anchorRemovals,
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

/** One alias at a time, read anew each time: an expansion may bring further aliases. */
export function expandAliases(source: string, documentIndex: number, targets: EditTargets): string {
  let text = source;
  for (;;) {
    const document = parseDocuments(text)[documentIndex];
    const next = document === undefined ? undefined : findObstacle(document, targets);
    if (document === undefined || next === undefined) return text;
    text = expand(text, document, next);
  }
}

function findObstacle(document: Document.Parsed, targets: EditTargets): Found | undefined {
  let obstacle: Found | undefined;
  visit(document, {
    Alias(key, alias, ancestors) {
      const meaning = alias.resolve(document);
      if (meaning === undefined) return undefined;
      const found = { alias, ancestors, path: pathTo(key, ancestors), meaning };
      if (!isInTheWay(document, found, targets)) return undefined;
      obstacle = found;
      return visit.BREAK;
    },
  });
  return obstacle;
}

function isInTheWay(document: Document.Parsed, { path, meaning }: Found, targets: EditTargets): boolean {
  const place = path.at(-1) === '<<' ? path.slice(0, -1) : path;
  if (isWithin(place, targets.copied)) return true;
  const all = [...targets.edited, targets.copied];
  if (all.some((target) => isWithin(target, place))) return true;
  const contains = (outer: Node, inner: Node) =>
    startOf(outer) <= startOf(inner) && (outer.range?.[1] ?? 0) >= (inner.range?.[1] ?? 0);
  const node = (target: Path) => document.getIn(target, true);
  const copied = node(targets.copied);
  if (isNode(copied) && contains(copied, meaning)) return true;
  return all.map(node).some((target) => isCollection(target) && contains(meaning, target));
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

function expand(text: string, document: Document.Parsed, found: Found): string {
  const mergePair = found.ancestors.findLast(isPlaced);
  const map = found.ancestors.findLast(isMap);
  if (found.path.at(-1) === '<<' && mergePair !== undefined && map !== undefined) {
    return expandMerge(text, document, mergePair, map);
  }
  const { alias, meaning } = found;
  const parent = found.ancestors.at(-1);
  const end = alias.range?.[1] ?? 0;
  if (found.ancestors.some(isFlow)) {
    return applySplices(text, [{ start: startOf(alias), end, text: flowText(meaning.toJS(document)) }]);
  }
  const inPair = isPlaced(parent);
  const keyColumn = columnAt(text, startOf(inPair ? parent.key : alias));
  if (isCollection(meaning) && !isFlow(meaning)) {
    const column = inPair ? keyColumn + 2 : keyColumn;
    const copy = copyOf(text, meaning, column).replace(/\n$/, '');
    const start = inPair ? text.slice(0, startOf(alias)).trimEnd().length : startOf(alias);
    return applySplices(text, [{ start, end, text: inPair ? `\n${' '.repeat(column)}${copy}` : copy }]);
  }
  const column = isBlockScalar(meaning) ? keyColumn - indentOf(meaning) : 0;
  const copy = shiftLines(sliceOf(text, meaning), column).replace(/\n$/, '');
  return applySplices(text, [{ start: startOf(alias), end, text: copy }]);
}

/** `<<: *base` becomes the entries of the base that the mapping does not set itself. */
function expandMerge(text: string, document: Document.Parsed, merge: PlacedPair, map: YAMLMap): string {
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
      flow ? `${flowText(name)}: ${flowText(value?.toJS(document) ?? null)}` : copyOf(text, pair, column).trimEnd(),
    );
  }
  const joined = entries.join(flow ? ', ' : `\n${' '.repeat(column)}`);
  return applySplices(text, [{ start: startOf(merge.key), end: contentEnd(text, merge), text: joined }]);
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
function copyOf(text: string, what: Node | PlacedPair, column: number): string {
  const start = 'key' in what ? startOf(what.key) : startOf(what);
  const end = 'key' in what ? contentEnd(text, what.value ?? what.key) : contentEnd(text, what);
  return shiftLines(cleanSlice(text, start, end), column - columnAt(text, start));
}

function sliceOf(text: string, node: Node): string {
  return cleanSlice(text, startOf(node), contentEnd(text, node));
}

function cleanSlice(text: string, start: number, end: number): string {
  return applySplices(text.slice(start, end), splicesWithin(anchorRemovals(text, start, end), start, end));
}
