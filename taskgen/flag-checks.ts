// Flags that name something this Task does not have: a typing error there would send what should stay, or keep what the build needs.

import type { Finding } from './findings.ts';
import { imageParameters, partProblem } from './image-reference.ts';
import { defaultOptions, matchesGlob } from './options.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import { timeoutOf } from './step-timeout.ts';
import type { Task } from './task-model.ts';
import { resolvedPath, visibleWorkspaces } from './workspace-places.ts';
import { isNonRoot } from './wrapper-security.ts';

export function flagFindings(task: Task, { step, index, name }: StepChoice, options: GenerateOptions): Finding[] {
  const label = `step "${name}"`;
  const found = (flag: string, problem: string, known: readonly string[]): Finding => ({
    code: 'MPT036',
    at: ['spec', 'steps', index],
    message: `${flag}: ${problem}.`,
    fix: known.length === 0 ? 'Leave the flag out.' : `Use one of: ${[...new Set(known)].join(', ')}; or leave it out.`,
  });
  const workspaces = task.workspaces.map((workspace) => workspace.name);
  const volumes = step.mounts.map((mount) => mount.name);
  const file = options.podmanArgumentsFile;
  const visible = visibleWorkspaces(task, step, index);
  const mounted = step.mounts.map(({ mountPath }) => resolvedPath(visible, mountPath));
  const paths = [...mounted, ...visible.map(({ path }) => path), '/workspace'];
  const variables = step.env.map((variable) => variable.name);
  const matchless = (globs: readonly string[]) =>
    step.envFrom.length > 0 ? [] : globs.filter((glob) => !variables.some((variable) => matchesGlob(variable, glob)));
  return [
    ...[...options.sync.keys()]
      .filter((key) => !workspaces.includes(key))
      .map((key) => found(`--sync ${key}`, 'the Task has no such workspace', workspaces)),
    ...[...options.volumes.keys()]
      .filter((key) => !volumes.includes(key))
      .map((key) => found(`--volume ${key}`, `${label} mounts no such volume`, volumes)),
    ...matchless(options.envAllow).map((glob) =>
      found(`--env-allow ${glob}`, `${label} has no such variable`, variables),
    ),
    ...matchless(options.envDeny).map((glob) =>
      found(`--env-deny ${glob}`, `${label} has no such variable`, variables),
    ),
    ...(file !== undefined && !paths.some((path) => resolvedPath(visible, file).startsWith(`${path}/`))
      ? [found(`--podman-args-file ${file}`, `${label} mounts nothing there`, paths)]
      : []),
    ...wholeParameters(task, options).map(({ because, better }) =>
      found(`--image-param ${options.imageParameter}`, `${because}, and a name is one text`, better),
    ),
    ...(options.timeoutMargin !== undefined && timeoutOf(step) === undefined
      ? [found('--timeout-margin', `${label} has no timeout`, [])]
      : []),
    ...(options.wrapperUser !== undefined && step.securityContext['runAsUser'] !== undefined
      ? [found('--wrapper-user', `${label} has a runAsUser of its own, which its remote step keeps`, [])]
      : []),
    ...(options.wrapperUser === 0 && isNonRoot(step)
      ? [found('--wrapper-user 0', `${label} is runAsNonRoot, so its pod would not start as root`, ['another id'])]
      : []),
  ];
}

/** Of the image's name; that the default names none is nobody's mistake. */
function wholeParameters(task: Task, { imageParameter }: GenerateOptions): { because: string; better: string[] }[] {
  if (imageParameter === defaultOptions.imageParameter) return [];
  return imageParameters(imageParameter).flatMap((part) => {
    const { because = '', better = [] } = partProblem(part, task.parameters) ?? {};
    return better.length === 0 ? [] : [{ because, better: better.map((it) => `'${it}'`) }];
  });
}
