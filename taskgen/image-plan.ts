// The image that a build leaves on the host: under which name, in which storage it is wanted in the cluster, and whether anybody sees it there.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import { mountsVolume } from './task-model.ts';
import type { Step, Task } from './task-model.ts';
import { withoutComments } from './text-checks.ts';

type Loading = Pick<GenerateOptions, 'transfer' | 'deferPush' | 'afterLoad'>;
/** What decides whether an image comes back. */
export type ImageOptions = Loading & Pick<GenerateOptions, 'imageParameter' | 'appendPlatform'>;

interface MissingImage {
  readonly because: string;
  readonly fix?: string;
}

/** '' when none comes back. */
export function resultImage(task: Task, choice: StepChoice, options: ImageOptions): string {
  const isResult = missingImage(task, choice, options) === undefined;
  return isResult && options.transfer !== 'none' ? `$(params.${options.imageParameter})` : '';
}

/** What can find the image in the builder's container when the script has ended, and what builds without leaving it there. */
const containerTools = /\b(?:buildah|podman|skopeo)\b/;
const otherTools =
  /\/kaniko\/executor\b|(?:^|\s)(?:ko|apko|melange)\s+build\b|\bbuildctl\b|\bjib:buildTar\b|\bjibBuildTar\b|\/lifecycle\/creator\b|\bdocker\s+(?:buildx\s+)?build\b/m;

/** Many Tasks call the image that a step runs in IMAGE, too, or one that other steps build; to ask the host for that would be an error. */
export function missingImage(task: Task, choice: StepChoice, options: ImageOptions): MissingImage | undefined {
  const { imageParameter } = options;
  const { step, wrapped, name } = choice;
  if (!task.parameters.some((parameter) => parameter.name === imageParameter))
    return { because: `the Task has no parameter "${imageParameter}"` };
  const reference = new RegExp(`\\$\\(params(?:\\.${imageParameter}|\\[["']${imageParameter}["']\\])\\)`);
  if (reference.test(step.image ?? ''))
    return { because: `"${imageParameter}" is the image that the step itself runs in` };
  if (isWanted(task, choice, options)) return undefined;
  const words = [
    withoutComments(step.script ?? ''),
    ...wrapped,
    ...step.args,
    ...step.env.map(({ value }) => value),
  ].join('\n');
  const lost = 'no later step shares container storage with it';
  if (!reference.test(words))
    return { because: `step "${name}" does not use parameter "${imageParameter}", and ${lost}` };
  const [tool] = (!containerTools.test(words) && otherTools.exec(words)) || [];
  if (tool === undefined) return undefined;
  const fix =
    'Let it write the image into a workspace, or build with buildah or podman; say --transfer none if nothing is missing.';
  return { because: `"${tool.trim()}" leaves none in container storage, and ${lost}`, fix };
}

/** Whether somebody has a use for the image when it is back. */
function isWanted(
  task: Task,
  choice: StepChoice,
  { transfer, deferPush, afterLoad, appendPlatform }: ImageOptions,
): boolean {
  const isAsked = transfer === 'registry' || deferPush || afterLoad !== undefined || appendPlatform;
  return isAsked || laterStepsSeeIt(task, choice);
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
  const missing = missingImage(task, choice, options);
  const waiting = [
    ...(deferPush ? ['--defer-push'] : []),
    ...(afterLoad === undefined ? [] : ['--after-load']),
    ...(appendPlatform ? ['--append-platform'] : []),
  ];
  if (!comesBack && waiting.length > 0) {
    const message = `${waiting.join(' and ')}: there is no image, since ${transfer === 'none' ? '--transfer none brings back none' : missing?.because}.`;
    const fix = 'Name the parameter with its tag by --image-param, and leave out --transfer none.';
    return [{ code: 'MPT034', at: ['spec', 'params'], message, fix }];
  }
  if (transfer === 'none') return [];
  if (!comesBack) {
    const message = `No image is brought back from the host: ${missing?.because}.`;
    const likely = likelyParameters(task, choice.step).filter((name) => name !== options.imageParameter);
    const which = likely.length === 0 ? '' : ` (perhaps ${likely.join(' or ')})`;
    const fix =
      missing?.fix ??
      `If it builds an image, name the parameter with its tag by --image-param${which}; otherwise say --transfer none.`;
    return [{ code: 'MPT033', at: ['spec', 'params'], message, fix }];
  }
  return isWanted(task, choice, options) ? [] : [unseenImage(choice)];
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
