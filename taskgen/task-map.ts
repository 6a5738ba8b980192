// A file such as taskgen.yaml: the Tasks of a folder, each with its source, its output and its flags. Text in, entries or problems out.

import { parse } from 'yaml';

export interface MapEntry {
  readonly source: string;
  readonly output: string;
  readonly flags: readonly string[];
}

export const mapExample = 'tasks: [{source: build.yaml, output: build-remote.yaml, flags: [--step, compile]}]';

/** Throws an error for people, which names the entry and what it should be. */
export function parseTaskMap(text: string): MapEntry[] {
  const content: unknown = parse(text);
  const tasks = isFields(content) ? content['tasks'] : undefined;
  if (!Array.isArray(tasks) || tasks.length === 0) throw new Error(`it has no list of tasks; write: ${mapExample}`);
  return tasks.map(readEntry);
}

function readEntry(entry: unknown, index: number): MapEntry {
  if (!isFields(entry)) throw new Error(`tasks[${index}] must have source and output; write: ${mapExample}`);
  const { source, output, flags = [], ...others } = entry;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new Error(`tasks[${index}].${unknown} is not known; only source, output and flags are`);
  if (typeof source !== 'string' || source === '') throw new Error(`tasks[${index}].source must be a file name`);
  if (typeof output !== 'string' || output === '') throw new Error(`tasks[${index}].output must be a file name`);
  if (source === output) throw new Error(`tasks[${index}].output is its source "${source}"; name another file`);
  if (!Array.isArray(flags)) throw new Error(`tasks[${index}].flags must be a list, such as [--step, compile]`);
  const forbidden = flags.find((word) => /^(?:-o|--output|--check|--in-place-map|--json)(?:=|$)/.test(String(word)));
  if (forbidden !== undefined) throw new Error(`tasks[${index}].flags: "${forbidden}" belongs on the command line`);
  return { source, output, flags: flags.map(String) };
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
