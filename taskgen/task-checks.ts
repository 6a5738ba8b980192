// Which Tasks the generator takes: one list of checks over the whole Task, each of which may add findings.
// Checks on the script are script-checks.ts, those on mounts and environment belong to their plans.

import type { Finding, Path } from './findings.ts';
import { nameFindings, remoteName } from './task-name.ts';
import type { GenerateOptions } from './options.ts';
import { parameterFindings } from './parameter-checks.ts';
import { fields, list, text } from './task-model.ts';
import type { Task } from './task-model.ts';
import { imageFindings } from './image-plan.ts';
import { registryNameFindings, registryPushFindings } from './registry-auth.ts';
import type { StepChoice } from './step-choice.ts';
import { timeoutFindings } from './step-timeout.ts';
import type { Topology } from './topology.ts';
import { reservedNameFindings, secretVolumeName } from './reserved-names.ts';

export const secretPrefix = 'multi-platform-ssh-';

export function taskFindings(task: Task, choice: StepChoice, topology: Topology, options: GenerateOptions): Finding[] {
  const name = remoteName(task.name ?? '', options);
  return [
    ...nameFindings(task.name, name),
    ...parameterFindings(task, options),
    ...sidecarFindings(task),
    ...stepFormFindings(choice, list(task.stepTemplate['command']).length > 0),
    ...secretVolumeName(task, choice.step, choice.index, options).findings,
    ...timeoutFindings(choice),
    ...reservedNameFindings(task, choice, topology),
    ...(topology.hasLocalStep ? [...stepResultFindings(task, choice), ...movedStepFindings(task, choice)] : []),
    ...imageFindings(task, choice, options),
    ...registryNameFindings(task, options),
    ...registryPushFindings(choice, options),
  ];
}

/** Of a remote Task nothing else is worth saying. */
export function remoteAlready(task: Task): Finding[] {
  return task.volumes.flatMap((volume, index): Finding[] => {
    if (text(volume.source['secretName'])?.startsWith(secretPrefix) !== true) return [];
    const message = `Volume "${volume.name}" mounts the Secret of a remote build: this Task is a remote Task already.`;
    return [
      {
        code: 'MPT009',
        at: ['spec', 'volumes', index],
        message,
        fix:
          task.generatedFrom === undefined
            ? 'Start from the Task that builds in the cluster.'
            : `taskgen made it of the Task "${task.generatedFrom}": start from that one.`,
      },
    ];
  });
}

function sidecarFindings(task: Task): Finding[] {
  if (task.sidecars.length === 0) return [];
  const message = `The Task has ${task.sidecars.length} sidecar(s): they stay in the pod, where the build on the host cannot reach them on localhost.`;
  const fix = 'Remove them, or say --allow-sidecars when only steps in the cluster use them.';
  return [{ code: 'MPT013', at: ['spec', 'sidecars'], message, fix }];
}

/** `templated`: stepTemplate has a command, which every step inherits, one with a script too. */
function stepFormFindings({ step, index }: StepChoice, templated: boolean): Finding[] {
  const at: Path = ['spec', 'steps', index];
  const label = `Step "${step.name ?? index}"`;
  if (step.isReference) {
    const message = `${label} is a "ref" to a StepAction, whose script, environment and mounts are not in this file.`;
    return [{ code: 'MPT003', at: [...at, 'ref'], message, fix: 'Write the content of the StepAction into the step.' }];
  }
  const findings: Finding[] = [];
  if (step.script === undefined || step.script.trim() === '') {
    const fix = templated
      ? 'Take the command out of stepTemplate and write it into each step that runs it, then say --wrap-command; or write scripts.'
      : step.command.length === 0
        ? "Give it the image's entrypoint as command (podman image inspect IMAGE shows it) and say --wrap-command, or write a script."
        : 'Say --wrap-command, which runs the command through a script (the image needs a shell), or write a script.';
    findings.push({ code: 'MPT002', at, message: `${label} has no script, only command, args or an image.`, fix });
  } else if (step.command.length > 0) {
    const message = `${label} has a script and a command; Tekton refuses that.`;
    findings.push({ code: 'MPT004', at: [...at, 'command'], message, fix: 'Remove the command.' });
  } else if (templated) {
    const message = `${label} runs a script, and stepTemplate has a command, which it would inherit; Tekton refuses that.`;
    const fix = 'Take the command out of stepTemplate and write it into each step that runs it.';
    findings.push({ code: 'MPT004', at: ['spec', 'stepTemplate', 'command'], message, fix });
  }
  if (step.image === undefined) {
    const fix = 'Give the step the image it builds with.';
    findings.push({ code: 'MPT016', at, message: `${label} has no image, and stepTemplate has none.`, fix });
  }
  return findings;
}

/** Tekton lets a step write only its own results, so the local copy of the step cannot write those of the original. */
function stepResultFindings(task: Task, { step, index, name }: StepChoice): Finding[] {
  const findings: Finding[] = [];
  if (step.own['results'] !== undefined) {
    findings.push({
      code: 'MPT022',
      at: ['spec', 'steps', index, 'results'],
      message: `Step results of "${name}" exist after a build on a host; a build in the cluster runs in step "${name}-local" and leaves none.`,
      fix: 'Use Task results, which both write, or say --runner-image same.',
    });
  }
  for (const key of ['stdoutConfig', 'stderrConfig'].filter((it) => step.own[it] !== undefined)) {
    findings.push({
      code: 'MPT025',
      at: ['spec', 'steps', index, key],
      message: `${key} of "${name}" takes the output of a build on a host; a build in the cluster runs in step "${name}-local", whose output is only in the log.`,
      fix: 'Redirect it in the script, or say --runner-image same.',
    });
  }
  const wanted = `$(steps.step-${name}.exitCode.path)`;
  for (const [other, { own }] of task.steps.entries()) {
    if (other === index || !JSON.stringify(fields(own)).includes(wanted)) continue;
    findings.push({
      code: 'MPT023',
      at: ['spec', 'steps', other],
      message: `${wanted} is 0 when the build runs in the cluster: step "${name}-local" has the exit code then.`,
      fix: `Look at $(steps.step-${name}-local.exitCode.path) too.`,
    });
  }
  return findings;
}

/** Tekton calls a step without a name by its index, which is one more behind the step that is added. */
function movedStepFindings(task: Task, { index, name }: StepChoice): Finding[] {
  return task.steps.flatMap(({ own }, other): Finding[] => {
    const named = JSON.stringify(own).matchAll(/\bstep-unnamed-(\d+)\b/g);
    const [moved] = [...named].filter(([, at]) => Number(at) > index && task.steps[Number(at)]?.name === undefined);
    if (moved === undefined) return [];
    const message = `"${moved[0]}" is another step when "${name}-local" comes before it.`;
    return [{ code: 'MPT023', at: ['spec', 'steps', other], message, fix: 'Give that step a name.' }];
  });
}
