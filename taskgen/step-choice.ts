// Finds the step that goes to the host: by name, or by index. It suggests, it never guesses.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { Step, Task } from './task-model.ts';

export interface StepChoice {
  readonly index: number;
  readonly step: Step;
  /** As Tekton calls it; an unnamed step is called by its index. */
  readonly name: string;
  /** The script stands for a command, which has to go. */
  readonly isWrapped: boolean;
}

export function chooseStep(task: Task, options: Pick<GenerateOptions, 'step' | 'wrapCommand'>): StepChoice | Finding {
  const wanted = options.step;
  const byName = task.steps.findIndex(({ name }) => name === wanted);
  const index = byName >= 0 ? byName : /^\d+$/.test(wanted) ? Number(wanted) : -1;
  const step = task.steps[index];
  if (step !== undefined) {
    const script = options.wrapCommand && step.script === undefined ? commandAsScript(step.command) : undefined;
    const chosen = script === undefined ? step : { ...step, script, command: [] };
    return { index, step: chosen, name: step.name ?? `unnamed-${index}`, isWrapped: script !== undefined };
  }
  const names = task.steps.map(({ name }, position) => name ?? String(position));
  const listed = names.length === 0 ? 'It has no steps.' : `Its steps are: ${names.join(', ')}.`;
  const likely = names.filter((_, position) => looksLikeBuild(task.steps[position]));
  return {
    code: 'MPT001',
    at: ['spec', 'steps'],
    message: `The Task has no step "${wanted}". ${listed}`,
    fix:
      likely.length === 1
        ? `The one that builds seems to be --step ${likely[0]}.`
        : 'Name the step that builds: --step NAME.',
  };
}

/** Tekton and the kubelet substitute in commands, not in quoted text: with a reference in it a command is left alone. */
function commandAsScript(command: readonly string[]): string | undefined {
  if (command.length === 0 || command.some((word) => word.includes('$('))) return undefined;
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`;
}

function looksLikeBuild(step: Step | undefined): boolean {
  if (step?.script === undefined) return false;
  const builds = /\b(?:buildah|podman|docker)\b[^\n]*\b(?:bud|build)\b/.test(step.script.replaceAll('\\\n', ' '));
  return builds || step.mounts.some(({ mountPath }) => mountPath.startsWith('/var/lib/containers'));
}
