// Finds the step that goes to the host: by name, or by index. It suggests, it never guesses.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { Step, Task } from './task-model.ts';

export interface StepChoice {
  readonly index: number;
  readonly step: Step;
  /** As Tekton calls it; an unnamed step is called by its index. */
  readonly name: string;
  /** The command that the script stands for; it becomes the first arguments. */
  readonly wrapped: readonly string[];
}

/** Tekton and the kubelet substitute in arguments just as in a command, so its words stay as they are. */
const runArguments = '#!/bin/sh\nexec "$@"\n';

export function chooseStep(task: Task, options: Pick<GenerateOptions, 'step' | 'wrapCommand'>): StepChoice | Finding {
  const wanted = options.step;
  const byName = task.steps.findIndex(({ name }) => name === wanted);
  const index = byName >= 0 ? byName : /^\d+$/.test(wanted) ? Number(wanted) : -1;
  const step = task.steps[index];
  if (step !== undefined) {
    const wrapped = options.wrapCommand && step.script === undefined ? step.command : [];
    const chosen = wrapped.length === 0 ? step : { ...step, script: runArguments, command: [] };
    return { index, step: chosen, name: step.name ?? `unnamed-${index}`, wrapped };
  }
  const names = task.steps.map(({ name }, position) => name ?? String(position));
  const at = ['spec', 'steps'];
  if (names.length === 0)
    return { code: 'MPT001', at, message: 'The Task has no steps.', fix: 'Give it a list "steps" under "spec".' };
  const builders = names.filter((_, position) => looksLikeBuild(task.steps[position]));
  const named = names.filter((name) => /\bbuild/.test(name));
  const likely = [names, builders, named].find((candidates) => candidates.length === 1) ?? [];
  return {
    code: 'MPT001',
    at,
    message: `The Task has no step "${wanted}". Its steps are: ${names.join(', ')}.`,
    fix:
      likely.length === 1
        ? `${names.length === 1 ? 'Say' : 'The one that builds seems to be'} --step ${likely[0]}.`
        : 'Name the step that builds: --step NAME.',
  };
}

const builder =
  /\b(?:buildah|podman|docker|s2i|ko|pack)\b[^\n]*\b(?:bud|build|publish)\b|\/kaniko\/executor\b|\/lifecycle\/creator\b|\bbuildctl\b|\bjib:/;

function looksLikeBuild(step: Step | undefined): boolean {
  if (step === undefined) return false;
  const run = step.script?.replaceAll('\\\n', ' ') ?? step.command.join(' ');
  return builder.test(run) || step.mounts.some(({ mountPath }) => mountPath.startsWith('/var/lib/containers'));
}
