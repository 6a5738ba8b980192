// The image that a build leaves on the host: under which name, in which storage it is wanted in the cluster, and whether anybody sees it there.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import { mountsVolume } from './task-model.ts';
import type { Step, Task } from './task-model.ts';

type Asked = Pick<GenerateOptions, 'imageParameter' | 'transfer'>;
type Loading = Pick<GenerateOptions, 'transfer' | 'deferPush' | 'afterLoad'>;

/** '' when none comes back. */
export function resultImage(task: Task, { step }: Pick<StepChoice, 'step'>, options: Asked): string {
  const isResult = missingBecause(task, step, options) === undefined;
  return isResult && options.transfer !== 'none' ? `$(params.${options.imageParameter})` : '';
}

/** Many Tasks call the image that a step runs in IMAGE, too. */
function missingBecause(task: Task, step: Step, { imageParameter }: Asked): string | undefined {
  if (!task.parameters.some(({ name }) => name === imageParameter))
    return `the Task has no parameter "${imageParameter}"`;
  const isBuilder = new RegExp(`\\$\\(params(?:\\.${imageParameter}|\\[["']${imageParameter}["']\\])\\)`).test(
    step.image ?? '',
  );
  return isBuilder ? `"${imageParameter}" is the image that the step itself runs in` : undefined;
}

/** Later steps look for the image with this driver: a parameter of that name, the variable that buildah reads, or what the script says. */
export function storageDriver(task: Task, { step }: StepChoice): string {
  const parameter = task.parameters.find(({ name }) => name === 'STORAGE_DRIVER');
  if (parameter?.type === 'string') return '$(params.STORAGE_DRIVER)';
  const variable = step.env.find(({ name }) => name === 'STORAGE_DRIVER')?.value;
  return variable ?? /--storage-driver[= ]["']?([a-z]+)\b/.exec(step.script ?? '')?.[1] ?? '';
}

/** What the Task says of certificates of its registry, for a push from the host; '' when it says nothing. */
export function tlsVerify(task: Task): string {
  const parameter = task.parameters.find(({ name }) => /^TLS_?VERIFY$/.test(name));
  return parameter?.type === 'string' ? `$(params.${parameter.name})` : '';
}

/** Whether the image is wanted in the pod; what the host pushed itself need not be. */
export function isLoaded(task: Task, choice: StepChoice, { transfer, deferPush, afterLoad }: Loading): boolean {
  return transfer !== 'registry' || deferPush || afterLoad !== undefined || laterStepsSeeIt(task, choice);
}

export function imageFindings(task: Task, choice: StepChoice, options: GenerateOptions): Finding[] {
  const { transfer, deferPush, afterLoad, appendPlatform } = options;
  const comesBack = resultImage(task, choice, options) !== '';
  const reason = missingBecause(task, choice.step, options) ?? '';
  const waiting = [
    ...(deferPush ? ['--defer-push'] : []),
    ...(afterLoad === undefined ? [] : ['--after-load']),
    ...(appendPlatform ? ['--append-platform'] : []),
  ];
  if (!comesBack && waiting.length > 0) {
    const message = `${waiting.join(' and ')}: there is no image, since ${transfer === 'none' ? '--transfer none brings back none' : reason}.`;
    const fix = 'Name the parameter with its tag by --image-param, and leave out --transfer none.';
    return [{ code: 'MPT034', at: ['spec', 'params'], message, fix }];
  }
  if (transfer === 'none') return [];
  if (!comesBack) {
    const message = `No image is brought back from the host: ${reason}.`;
    const likely = likelyParameters(task, choice.step);
    const which = likely.length === 0 ? '' : ` (perhaps ${likely.join(' or ')})`;
    const fix = `If it builds an image, name the parameter with its tag by --image-param${which}; otherwise say --transfer none.`;
    return [{ code: 'MPT033', at: ['spec', 'params'], message, fix }];
  }
  const isUseful = transfer === 'registry' || deferPush || afterLoad !== undefined || laterStepsSeeIt(task, choice);
  return isUseful ? [] : [unseenImage(choice)];
}

/** Many name an image that something runs in. */
function likelyParameters(task: Task, step: Step): string[] {
  const names = task.parameters.filter(({ type }) => type === 'string').map(({ name }) => name);
  return names.filter(
    (name) =>
      /^(?:(?:app|output|target|dest)[-_]?)?image[-_]?(?:url|name|ref|tag)?$/i.test(name) &&
      !(step.image ?? '').includes(`$(params.${name})`),
  );
}

function laterStepsSeeIt(task: Task, { step, index }: StepChoice): boolean {
  const storage = step.mounts.filter(({ mountPath }) =>
    /\/(?:lib|share)\/containers(?:\/storage)?\/?$/.test(mountPath),
  );
  return task.steps.slice(index + 1).some((later) => storage.some(({ name }) => mountsVolume(later, name)));
}

function unseenImage({ index, name }: StepChoice): Finding {
  const message = `No later step shares a container storage volume with "${name}": the image is brought back and then lost.`;
  const fix =
    'Mount one volume at /var/lib/containers in this step and in the step that pushes, or say --transfer none.';
  return { code: 'MPT032', at: ['spec', 'steps', index], message, fix };
}
