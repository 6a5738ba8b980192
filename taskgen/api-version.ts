// A v1beta1 Task as v1: the version, and the one field of steps that has another name there.
// What v1 does not have at all is a finding; nothing is dropped silently.

import { isMap, isSeq } from 'yaml';
import type { Finding, Path } from './findings.ts';
import type { ChosenTask } from './source-document.ts';
import { applySplices } from './splice.ts';
import type { Splice } from './splice.ts';
import { fields, list } from './task-model.ts';
import { pairOf, startOf } from './yaml-places.ts';

const version = 'tekton.dev/v1';
const removedFromSteps = [
  'ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'terminationMessagePath',
  'terminationMessagePolicy', 'stdin', 'stdinOnce', 'tty',
]; // prettier-ignore

/** Line breaks stay where they are, so that findings name the lines of the source. */
export function convertToV1(file: string, { section, document }: ChosenTask): string {
  const { start, text } = section;
  const root = document.contents;
  const spec = document.get('spec', true);
  if (!isMap(root) || !isMap(spec)) return file;
  const steps = ['steps', 'sidecars'].flatMap((key) => {
    const found = spec.get(key, true);
    return isSeq(found) ? found.items : [];
  });
  const splices: Splice[] = [...steps, spec.get('stepTemplate', true)].filter(isMap).flatMap((step) => {
    const key = pairOf(step, 'resources')?.key;
    if (key === undefined) return [];
    return [
      { start: startOf(key), end: key.range?.[1] ?? 0, text: quotedLike(text, startOf(key), 'computeResources') },
    ];
  });
  const apiVersion = pairOf(root, 'apiVersion')?.value;
  if (apiVersion?.range) {
    const [from, end] = apiVersion.range;
    splices.push({ start: from, end, text: quotedLike(text, from, version) });
  }
  return file.slice(0, start) + applySplices(text, splices) + file.slice(start + text.length);
}

function quotedLike(text: string, at: number, word: string): string {
  const quote = /["']/.test(text[at] ?? '') ? text[at] : '';
  return `${quote}${word}${quote}`;
}

/** Of the converted Task. */
export function versionFindings(content: unknown): Finding[] {
  const spec = fields(fields(content)['spec']);
  const findings: Finding[] = [];
  const gone = (at: Path, name: string, fix: string) =>
    findings.push({ code: 'MPT017', at, message: `tekton.dev/v1 has no "${name}" here.`, fix });
  if (spec['resources'] !== undefined) gone(['spec', 'resources'], 'resources', 'Use parameters and workspaces.');
  for (const kind of ['steps', 'sidecars']) {
    for (const [index, step] of list(spec[kind]).entries()) {
      if (step['resources'] !== undefined) {
        gone(['spec', kind, index], 'resources', 'Write it in the step itself, not through an anchor.');
      }
      if (kind === 'sidecars') continue;
      for (const name of removedFromSteps.filter((field) => step[field] !== undefined)) {
        gone(['spec', kind, index, name], name, 'Remove it.');
      }
    }
  }
  return findings;
}
