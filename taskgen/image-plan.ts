// The image that a build leaves on the host: under which name, in which storage it is wanted in the cluster, and whether anybody sees it there.

import { laterStepsShareStorage } from './container-storage.ts';
import type { Finding } from './findings.ts';
import { imageParameters, imageReference, imageText, partProblem } from './image-reference.ts';
import type { GenerateOptions } from './options.ts';
import { toolWithoutImage } from './script-tools.ts';
import type { StepChoice } from './step-choice.ts';
import type { Task } from './task-model.ts';
import { withoutComments } from './text-checks.ts';

type Loading = Pick<GenerateOptions, 'transfer' | 'deferPush' | 'afterLoad' | 'volumes'>;
/** What decides whether an image comes back. */
export type ImageOptions = Loading & Pick<GenerateOptions, 'imageParameter' | 'appendPlatform'>;

interface MissingImage {
  readonly because: string;
  readonly fix?: string;
}

/** '' when none comes back. */
export function resultImage(task: Task, choice: StepChoice, options: ImageOptions): string {
  const isResult = missingImage(task, choice, options) === undefined;
  return isResult && options.transfer !== 'none' ? imageText(options.imageParameter, task.parameters) : '';
}

/** Many Tasks call the image that a step runs in IMAGE, too, or one that other steps build; to ask the host for that would be an error. */
export function missingImage(task: Task, choice: StepChoice, options: ImageOptions): MissingImage | undefined {
  const { imageParameter } = options;
  const { step, wrapped, name } = choice;
  const parts = imageParameters(imageParameter);
  const [problem] = parts.flatMap((part) => partProblem(part, task.parameters) ?? []);
  if (problem !== undefined) return { because: problem.because };
  if (imageReference(imageParameter).test(step.image ?? ''))
    return { because: `"${imageParameter}" is the image that the step itself runs in` };
  if (isWanted(task, choice, options)) return undefined;
  const words = [
    withoutComments(step.script ?? ''),
    ...wrapped,
    ...step.args,
    ...step.env.map(({ value }) => value),
  ].join('\n');
  const lost = 'no later step shares container storage with it';
  if (!parts.every((part) => imageReference(part).test(words)))
    return { because: `step "${name}" does not use parameter "${imageParameter}", and ${lost}` };
  const tool = toolWithoutImage(wrapped.length > 0 ? [...wrapped, ...step.args].join(' ') : (step.script ?? ''), words);
  if (tool === undefined) return undefined;
  const fix =
    'Let it write the image into a workspace, or build with buildah or podman; say --transfer none if nothing is missing.';
  return { because: `"${tool}" leaves none in container storage, and ${lost}`, fix };
}

/** Whether somebody has a use for the image when it is back. */
function isWanted(task: Task, choice: StepChoice, options: ImageOptions): boolean {
  const { transfer, deferPush, afterLoad, appendPlatform } = options;
  const isAsked = transfer === 'registry' || deferPush || afterLoad !== undefined || appendPlatform;
  return isAsked || laterStepsSeeIt(task, choice, options);
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
export function isLoaded(task: Task, choice: StepChoice, options: Loading): boolean {
  const { transfer, deferPush, afterLoad } = options;
  return transfer !== 'registry' || deferPush || afterLoad !== undefined || laterStepsSeeIt(task, choice, options);
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
  const likely = likelyNames(task, choice).filter((name) => name !== options.imageParameter);
  const which = likely.length === 0 ? '' : ` (perhaps ${likely.join(' or ')})`;
  if (!comesBack && waiting.length > 0) {
    const message = `${waiting.join(' and ')}: there is no image, since ${transfer === 'none' ? '--transfer none brings back none' : missing?.because}.`;
    const fix = `Name the parameter with its tag by --image-param${which}, and leave out --transfer none.`;
    return [{ code: 'MPT034', at: ['spec', 'params'], message, fix }];
  }
  if (transfer === 'none') return [];
  if (!comesBack) {
    const message = `No image is brought back from the host: ${missing?.because}.`;
    const fix =
      missing?.fix ??
      `If it builds an image, name the parameter with its tag by --image-param${which}; otherwise say --transfer none.`;
    const expected = expectedFindings(task, choice, options, which);
    return expected.length > 0 ? expected : [{ code: 'MPT033', at: ['spec', 'params'], message, fix }];
  }
  return isWanted(task, choice, options) ? [] : [unseenImage(choice)];
}

function commandsOf({ step, wrapped }: StepChoice): string {
  return [step.script ?? '', ...wrapped, ...step.command, ...step.args].join(' ');
}

/** It builds into storage that it shares, so somebody counts on it. */
function expectedFindings(task: Task, choice: StepChoice, options: Loading, which: string): Finding[] {
  const { index, name } = choice;
  const builds = /\b(?:buildah|podman)\b[^\n]*\s(?:bud|build|commit)\s/.test(withoutComments(commandsOf(choice)));
  if (!builds || !laterStepsSeeIt(task, choice, options)) return [];
  const message = `Step "${name}" builds an image into container storage that later steps share, and none comes back from the host: they would not find it.`;
  const fix = `Name the parameter with its tag by --image-param${which}; if the later steps can do without, say --transfer none.`;
  return [{ code: 'MPT038', at: ['spec', 'steps', index], message, fix }];
}

/** What the step says is the tag; otherwise names that sound like one. Many name an image that something runs in. */
function likelyNames(task: Task, choice: StepChoice): string[] {
  const { step } = choice;
  const [, given = ''] =
    /\s(?:-t|--tag)[ =]["']?((?:[\w.:/-]|\$\(params\.[\w.-]+(?:\[\d+\])?\)|\$\{?\w+(?!\w)\}?)+)(?=["'\s]|$)/.exec(
      commandsOf(choice),
    ) ?? [];
  const tag = given.replace(
    /\$\{?(\w+)\}?/g,
    (variable, name) => step.env.find((it) => it.name === name)?.value ?? variable,
  );
  if (/\$\(params\./.test(tag) && !/\$(?!\()/.test(tag))
    return /^\$\([^)]*\)$/.test(tag) && !/[.[]/.test(imageParameters(tag).join()) ? imageParameters(tag) : [`'${tag}'`];
  const names = task.parameters.filter(({ type }) => type === 'string').map(({ name }) => name);
  return names.filter(
    (name) =>
      /^(?:(?:app|output|target|dest)[-_]?)?image[-_]?(?:url|name|ref|tag)?$/i.test(name) &&
      !imageReference(name).test(step.image ?? ''),
  );
}

function laterStepsSeeIt(task: Task, { index }: StepChoice, options: Loading): boolean {
  return laterStepsShareStorage(task, index, options);
}

function unseenImage({ index, name }: StepChoice): Finding {
  const message = `No later step shares a container storage volume with "${name}": the image is brought back and then lost, and if the script builds none, the step ends with exit code 74.`;
  const fix =
    'Mount one volume at /var/lib/containers in this step and in the step that pushes; if there is no image, or nobody needs it, say --transfer none.';
  return { code: 'MPT032', at: ['spec', 'steps', index], message, fix };
}
