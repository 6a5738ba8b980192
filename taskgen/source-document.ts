// The source file as text and as YAML documents, and which of them is the Task.
// It reads with YAML 1.1 rules, as Kubernetes does, and never writes.

import { isAlias, isCollection, isNode, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document, Tags } from 'yaml';
import type { Finding, Path } from './findings.ts';
import { kindSeenIn, mayHoldTask, sectionsOf } from './sections.ts';
import type { Section } from './sections.ts';
import { fields, text as textOf } from './task-model.ts';
import { keyText } from './yaml-places.ts';

export interface Source {
  /** Without byte order mark, with line feeds only, ending in one. */
  readonly text: string;
  /** Those that are read; the others pass as they are. */
  readonly read: readonly ReadSection[];
  /** Kinds of all documents, for messages. */
  readonly kinds: readonly string[];
  readonly lines: LineCounter;
}

interface ReadSection extends Section {
  readonly documents: readonly ReadDocument[];
}

interface ReadDocument {
  readonly document: Document.Parsed;
  /** Without aliases; an error where they cannot be followed, nothing where the text is broken anyway. */
  readonly content: unknown;
}

export interface ChosenTask {
  readonly section: Section;
  /** Among the documents of the section. */
  readonly index: number;
  readonly document: Document.Parsed;
  readonly content: unknown;
}

export type SourceProblem = Finding & { readonly offset?: number };

/** One mistake makes many errors after it; nobody reads more of them. */
const shownErrors = 20;

export function parseDocuments(text: string): Document.Parsed[] {
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    keepSourceTokens: true,
    logLevel: 'silent',
    prettyErrors: false,
    // Compares every key with every other; `errorsOf` looks for the same in one pass.
    uniqueKeys: false,
    customTags: asKubernetesReads,
  });
  return [...parsed];
}

/** Its reader knows neither times nor numbers to the base of 60, and no number without a digit in front of its exponent: E1 is a name. */
function asKubernetesReads(tags: Tags): Tags {
  return tags.flatMap((tag): Tags => {
    if (typeof tag === 'string' || !('test' in tag)) return [tag];
    if (tag.format === 'TIME' || tag.tag === 'tag:yaml.org,2002:timestamp') return [];
    const exponent = /^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)[eE][-+]?[0-9]+$/;
    if (tag.format === 'EXP') return [Object.assign({}, tag, { test: exponent })];
    // A lone dot is a folder, not a number.
    const number = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)$/;
    return [tag.test?.test('.') ? Object.assign({}, tag, { test: number }) : tag];
  });
}

export function readSource(raw: string): Source {
  const text = raw.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  const lines = new LineCounter();
  for (let at = 0; at < ended.length; at = ended.indexOf('\n', at) + 1) lines.addNewLine(at);
  const sections = sectionsOf(ended);
  const promising = sections.filter(mayHoldTask);
  const read = (promising.length > 0 ? promising : sections).map((section) => ({
    ...section,
    documents: parseSection(section.text).map((document) => ({ document, content: contentOf(document) })),
  }));
  return { text: ended, read, kinds: sections.map(kindSeenIn), lines };
}

/** A large text that begins with hundreds of errors is not read to its end: each error takes its time, and nobody wants more of them. */
function parseSection(text: string): Document.Parsed[] {
  const lineEnd = text.indexOf('\n', 100_000);
  if (lineEnd < 0) return parseDocuments(text);
  const beginning = parseDocuments(text.slice(0, lineEnd + 1));
  // The cut itself makes one error for every collection that it leaves open: never so many in a Task.
  const isHopeless = beginning.flatMap(({ errors }) => errors).length > 200;
  return isHopeless ? beginning : parseDocuments(text);
}

/** Everything the parser refuses, or reads as something nobody means (a mapping as a key is an unrendered template). */
export function syntaxProblems(source: Source): SourceProblem[] {
  const isTemplate = /\{\{.*\}\}/.test(source.text);
  const fix = isTemplate ? 'Correct the YAML. If this is a template, render it first.' : 'Correct the YAML.';
  const problem = (message: string, offset: number): SourceProblem => ({
    code: 'MPT000',
    at: [],
    message,
    fix,
    offset,
  });
  const zero = source.text.indexOf('\0');
  if (zero >= 0)
    return [{ ...problem('This is no UTF-8 text.', zero), fix: 'Save it as UTF-8, or name another file.' }];
  const all = source.read
    .flatMap(({ start, documents }) =>
      documents.flatMap((each) => errorsOf(each).map(({ message, offset }) => problem(message, start + offset))),
    )
    .sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0))
    .filter((one, index, sorted) => one.offset !== sorted[index - 1]?.offset);
  const tabs = all.filter(({ message }) => message.startsWith('Tabs are'));
  // What follows from these is found, too, and explains nothing.
  if (tabs.length > 0) return tabs.slice(0, shownErrors).map((tab) => ({ ...tab, fix: 'Indent with spaces.' }));
  if (isTemplate && all.length > 0) return all.slice(0, 1);
  const hidden = all.length - shownErrors;
  if (hidden <= 0) return all;
  return [
    ...all.slice(0, shownErrors),
    {
      ...problem(`There are at least ${hidden} more errors from here on.`, all[shownErrors]?.offset ?? 0),
      fix: 'Correct the first ones first.',
    },
  ];
}

function errorsOf({ document, content }: ReadDocument): { message: string; offset: number }[] {
  const errors = document.errors.map(({ message, pos }) => ({
    message: /call stack/.test(message) ? 'This is nested too deep.' : `${message.replace(/[.:]?$/, '')}.`,
    offset: pos[0],
  }));
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (isCollection(key)) errors.push({ message: 'A mapping or list is used as a key.', offset });
        const name = keyText(key);
        if (isScalar(key) && seen.has(name)) errors.push({ message: `Key "${name}" is there twice.`, offset });
        seen.add(name);
      }
    },
  });
  if (content instanceof Error) errors.push({ message: `Aliases cannot be followed: ${content.message}.`, offset: 0 });
  return errors;
}

/** Aliases of aliases can stand for more than any memory holds; then the parser refuses. */
function contentOf(document: Document.Parsed): unknown {
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS() as unknown;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export function chooseTask(source: Source, wanted: string | undefined): ChosenTask | SourceProblem {
  const all = source.read.flatMap((section) => section.documents.map((each, index) => ({ section, index, ...each })));
  const tasks = all.filter(({ content }) => kindOf(content) === 'Task');
  const chosen = wanted === undefined ? tasks : tasks.filter(({ content }) => nameOf(content) === wanted);
  const [first, second] = chosen;
  const names = tasks.map(({ content }) => nameOf(content) ?? '(no name)').join(', ');
  if (first === undefined) {
    const refused = all.find(({ content }) => ['List', 'ClusterTask'].includes(kindOf(content)));
    if (refused !== undefined) {
      const fix = 'Give the Task as a document of its own, kind: Task.';
      return problemAt(refused, `A document of kind ${kindOf(refused.content)} is not taken.`, fix);
    }
    if (wanted === undefined || tasks.length === 0) return noTask(source, all[0]);
    const message = `There is no Task "${wanted}", only: ${names}.`;
    return problemAt(all[0], message, 'Choose one of these by --select.');
  }
  if (second !== undefined)
    return problemAt(second, `There are several Tasks: ${names}.`, 'Choose one by --select NAME.');
  const version = textOf(fields(first.content)['apiVersion']) ?? '';
  if (version === 'tekton.dev/v1' || version === 'tekton.dev/v1beta1') return first;
  const fix = 'Use tekton.dev/v1 or tekton.dev/v1beta1.';
  return { ...problemAt(first, `apiVersion "${version}" is not known.`, fix), at: ['apiVersion'] };
}

/** Where a path of the Task stands in the file; the nearest node above it when it has none of its own. */
export function offsetOf({ section, document }: Pick<ChosenTask, 'section' | 'document'>, path: Path): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? document.range[0];
  for (const key of path) {
    const resolved: unknown = isAlias(node) ? node.resolve(document) : node;
    const next: unknown = isCollection(resolved) ? resolved.get(key, true) : undefined;
    if (!isNode(next)) break;
    node = next;
    offset = next.range?.[0] ?? offset;
  }
  return section.start + offset;
}

/** Offset in the file of an offset in a script; where the script is not written line by line, that of the script. */
export function offsetInScript(source: Source, scriptAt: number, script: string, offset: number): number {
  if (source.text[scriptAt] !== '|') return scriptAt;
  const before = script.slice(0, offset).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const { line } = source.lines.linePos(scriptAt);
  const lineAt = source.lines.lineStarts[line - 1 + before.length] ?? scriptAt;
  const scriptLine = script.split('\n')[before.length - 1] ?? '';
  const indent = source.text.slice(lineAt, source.text.indexOf('\n', lineAt)).indexOf(scriptLine);
  return indent < 0 ? scriptAt : lineAt + indent + column;
}

function noTask({ kinds }: Source, where: Pick<ChosenTask, 'section' | 'document'> | undefined): SourceProblem {
  const known = kinds.filter((kind) => kind !== '');
  const file = 'Name a file with a document of kind: Task, apiVersion: tekton.dev/v1.';
  if (known.length === 0) return problemAt(where, 'There is no Task here, nor any other object with a kind.', file);
  const message = `There is no Task here, only: ${known.join(', ')}.`;
  if (known.includes('StepAction'))
    return problemAt(where, message, 'Write what the StepAction does into a step of a Task.');
  const embedded = known.some((kind) => /^(?:Pipeline|TaskRun)/.test(kind));
  return problemAt(
    where,
    message,
    embedded ? `${file} Steps in a taskSpec need a Task of their own, named by taskRef.` : file,
  );
}

function problemAt(
  where: Pick<ChosenTask, 'section' | 'document'> | undefined,
  message: string,
  fix: string,
): SourceProblem {
  const offset = where === undefined ? 0 : offsetOf(where, []);
  return { code: 'MPT010', at: [], message, fix, offset };
}

function kindOf(content: unknown): string {
  return textOf(fields(content)['kind']) ?? '';
}

function nameOf(content: unknown): string | undefined {
  return textOf(fields(fields(content)['metadata'])['name']);
}
