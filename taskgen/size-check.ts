// Whether the scripts of the generated Task still fit into a pod, before a TaskRun finds out that they do not.

import type { Finding } from './findings.ts';
import { scriptLoad } from './script-file.ts';
import type { GenerateOptions } from './options.ts';
import { localScript, remoteScript } from './step-scripts.ts';
import type { Scripts } from './step-scripts.ts';
import type { StepChoice } from './step-choice.ts';
import type { Task } from './task-model.ts';

const warnAt = 60;
const refuseAt = 95;

export function sizeFindings(
  task: Task,
  choice: StepChoice,
  scripts: Scripts,
  options: Pick<GenerateOptions, 'deferPush' | 'afterLoad'>,
): Finding[] {
  const others = [...task.steps, ...task.sidecars].filter((_, index) => index !== choice.index);
  const all = others.map(({ script }) => script ?? '').filter((script) => script !== '');
  const load = scriptLoad([
    ...all,
    remoteScript(scripts, choice.step.script ?? '', options),
    localScript(scripts, choice.step.script ?? '', options),
  ]);
  if (load < warnAt) return [];
  const used = `All scripts together take ${Math.floor(load)} % of the 128 KiB that a pod can start with`;
  const at = ['spec', 'steps'];
  const fix =
    'Shorten the scripts, or move parts of them into the images; parameter values substituted into scripts count too.';
  if (load >= refuseAt) return [{ code: 'MPT014', at, message: `${used}; it would not start.`, fix }];
  return [{ code: 'MPT015', at, message: `${used}.`, fix }];
}
