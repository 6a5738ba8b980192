// The source file as text and as YAML documents, and which of them is the Task.
// It reads with YAML 1.1 rules, as Kubernetes does, and never writes.

import { isAlias, isCollection, isNode, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document } from 'yaml';
import type { Finding, Path } from './findings.ts';
import { fields, text as textOf } from './task-model.ts';

export interface Source {
  /** Without byte order mark, with line feeds only, ending in one. */
  readonly text: string;
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

export interface ChosenTask {
  readonly index: number;
  readonly document: Document.Parsed;
  readonly content: unknown;
}

export type SourceProblem = Finding & { readonly offset?: number };

export function parseDocuments(text: string, lines = new LineCounter()): Document.Parsed[] {
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    keepSourceTokens: true,
    logLevel: 'silent',
    lineCounter: lines,
  });
  return [...parsed];
}

export function readSource(raw: string): Source {
  const text = raw.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const lines = new LineCounter();
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  return { text: ended, documents: parseDocuments(ended, lines), lines };
}

/** Everything the parser refuses, or reads as something nobody means (a mapping as a key is an unrendered template). */
export function syntaxProblems(source: Source): SourceProblem[] {
  const template = /\{\{.*\}\}/.test(source.text) ? ' If this is a template, render it first.' : '';
  const problem = (message: string, offset: number): SourceProblem => ({
    code: 'MPT000',
    at: [],
    message,
    fix: `Correct the YAML.${template}`,
    offset,
  });
  return source.documents.flatMap((document) => {
    const found = document.errors.map((error) =>
      problem(error.message.replace(/ at line \d+, column \d+:[^]*$/, '.'), error.pos[0]),
    );
    visit(document, {
      Pair(_, pair) {
        if (isCollection(pair.key))
          found.push(problem('A mapping or list is used as a key.', pair.key.range?.[0] ?? 0));
      },
    });
    return found;
  });
}

export function chooseTask(source: Source, wanted: string | undefined): ChosenTask | SourceProblem {
  const all = source.documents.map((document, index) => ({ index, document, content: document.toJS() as unknown }));
  const refused = all.find(({ content }) => ['List', 'ClusterTask'].includes(kindOf(content)));
  if (refused !== undefined) {
    const fix = 'Give the Task as a document of its own, kind: Task.';
    return problemAt(refused, `A document of kind ${kindOf(refused.content)} is not taken.`, fix);
  }
  const tasks = all.filter(({ content }) => kindOf(content) === 'Task');
  const chosen = wanted === undefined ? tasks : tasks.filter(({ content }) => nameOf(content) === wanted);
  const [first, second] = chosen;
  const names = tasks.map(({ content }) => nameOf(content) ?? '(no name)').join(', ');
  if (first === undefined) {
    const kinds = all.map(({ content }) => kindOf(content) || 'no kind').join(', ') || 'nothing';
    const message =
      wanted === undefined || tasks.length === 0
        ? `There is no Task here, only: ${kinds}.`
        : `There is no Task "${wanted}", only: ${names}.`;
    return problemAt(all[0], message, 'Name a file with a document of kind: Task, apiVersion: tekton.dev/v1.');
  }
  if (second !== undefined)
    return problemAt(second, `There are several Tasks: ${names}.`, 'Choose one by --select NAME.');
  const version = textOf(fields(first.content)['apiVersion']) ?? '';
  if (version === 'tekton.dev/v1' || version === 'tekton.dev/v1beta1') return first;
  const fix = 'Use tekton.dev/v1 or tekton.dev/v1beta1.';
  return { ...problemAt(first, `apiVersion "${version}" is not known.`, fix), at: ['apiVersion'] };
}

/** Where a path of the Task stands in the text; the nearest node above it when it has none of its own. */
export function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? document.range[0];
  for (const key of path) {
    const resolved: unknown = isAlias(node) ? node.resolve(document) : node;
    const next: unknown = isCollection(resolved) ? resolved.get(key, true) : undefined;
    if (!isNode(next)) break;
    node = next;
    offset = next.range?.[0] ?? offset;
  }
  return offset;
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

function problemAt(where: { document: Document.Parsed } | undefined, message: string, fix: string): SourceProblem {
  const offset = where === undefined ? 0 : offsetOf(where.document, []);
  return { code: 'MPT010', at: [], message, fix, offset };
}

function kindOf(content: unknown): string {
  return textOf(fields(content)['kind']) ?? '';
}

function nameOf(content: unknown): string | undefined {
  return textOf(fields(fields(content)['metadata'])['name']);
}
