// Whether the scripts of the generated Task still fit into a pod, before a TaskRun finds out that they do not.

import type { Finding } from './findings.ts';
import { scriptLoad } from './script-file.ts';
import type { StepScripts } from './step-scripts.ts';
import type { StepChoice } from './step-choice.ts';
import type { Task } from './task-model.ts';

const warnAt = 60;
const refuseAt = 95;
const annotationLimit = 262_144;

export function sizeFindings(
  task: Task,
  choice: StepChoice,
  { remote, local }: StepScripts,
  content: unknown,
): Finding[] {
  const others = [...task.steps, ...task.sidecars].filter((_, index) => index !== choice.index);
  const all = others.map(({ script }) => script ?? '').filter((script) => script !== '');
  const load = scriptLoad([...all, remote, ...(local === undefined ? [] : [local])]);
  const used = `All scripts together take ${Math.floor(load)} % of the 128 KiB that a pod can start with`;
  const at = ['spec', 'steps'];
  const fix =
    'Shorten the scripts, or move parts of them into the images; parameter values substituted into scripts count too.';
  if (load >= refuseAt) return [{ code: 'MPT014', at, message: `${used}; it would not start.`, fix }];
  const large: Finding[] = load < warnAt ? [] : [{ code: 'MPT015', at, message: `${used}.`, fix }];
  return [...large, ...objectFindings(content, remote.length + (local?.length ?? 0))];
}

/** kubectl keeps what was applied in an annotation, whose size is limited. */
function objectFindings(content: unknown, added: number): Finding[] {
  const size = JSON.stringify(content).length + added;
  if (size < annotationLimit) return [];
  const message = `The new Task has about ${Math.ceil(size / 1024)} KiB; kubectl apply takes 256.`;
  return [
    {
      code: 'MPT018',
      at: ['spec'],
      message,
      fix: 'Install it by kubectl apply --server-side; no more than 1.5 MiB fit into a cluster.',
    },
  ];
}
