// The edits that make the build step a remote one: its image, its script, and what that script is told by environment.
// Every Tekton reference stands in env; the script's own text has none outside the user's part.

import type { YAMLMap } from 'yaml';
import { appendVariables } from './append-platform.ts';
import type { EnvironmentPlan } from './environment-plan.ts';
import { isLoaded, resultImage, storageDriver, tlsVerify } from './image-plan.ts';
import type { GenerateOptions } from './options.ts';
import { staysVariables } from './paths-that-stay.ts';
import { podmanArguments } from './podman-arguments.ts';
import { registryAuthMounts, registryAuthVariables } from './registry-auth.ts';
import { resolveResources } from './resource-references.ts';
import type { StepChoice } from './step-choice.ts';
import { unusualShell } from './step-scripts.ts';
import { timeoutVariables } from './step-timeout.ts';
import type { SyncPlan } from './sync-plan.ts';
import { fields, list } from './task-model.ts';
import type { Task } from './task-model.ts';
import type { Topology } from './topology.ts';
import { isToldHost, withoutUnsent } from './unsent-workspaces.ts';
import { editVariables, keptVariables, neutralVariables } from './wrapper-environment.ts';
import { wrapperResources } from './wrapper-resources.ts';
import { wrapperSecurity } from './wrapper-security.ts';
import { mapAt } from './yaml-places.ts';
import type { YamlEditor } from './yaml-editor.ts';
import type { YamlValue } from './yaml-text.ts';

export const sharedMount = { name: 'mp-shared', mountPath: '/mp-shared' };
export const podInfoMount = { name: 'mp-pod-info', mountPath: '/mp-pod-info', readOnly: true };

export interface RemotePlan {
  readonly task: Task;
  readonly choice: StepChoice;
  readonly options: GenerateOptions;
  readonly topology: Topology;
  readonly sync: SyncPlan;
  readonly environment: EnvironmentPlan;
  readonly secretVolume: string;
}

/** With the style of the text that is edited. */
export interface StyledPlan extends RemotePlan {
  readonly listIndent: number;
}

export function editRemoteStep(editor: YamlEditor, map: YAMLMap, plan: RemotePlan, script: string): void {
  const { step } = plan.choice;
  if (!plan.topology.keepsImage) editContainer(editor, map, plan);
  editVariables(editor, map, plan, (value) => toldOnHost(plan, value));
  const known = new Set(step.env.map(({ name }) => name));
  editor.append(map, 'env', [
    ...inheritedOnHost(plan),
    ...remoteEnvironment(plan).filter(({ name }) => !known.has(name)),
  ]);
  editor.append(map, 'volumeMounts', [
    { name: plan.secretVolume, mountPath: '/ssh', readOnly: true },
    podInfoMount,
    sharedMount,
    ...registryAuthMounts(plan.options),
  ]);
  editor.remove(map, removedByWrapping(plan));
  editArguments(editor, map, plan, (word) => toldOnHost(plan, word));
  editor.setScript(map, 'script', script);
}

/** The runner image, with little to ask for and few rights. */
function editContainer(editor: YamlEditor, map: YAMLMap, { task, choice, options }: RemotePlan): void {
  editor.set(map, 'image', options.runnerImage);
  const resources = wrapperResources(task, choice.step, options);
  if (resources !== undefined) editor.set(map, resources.key, resources.value);
  resolveResources(editor, map, { task, choice });
  const { replaced, added } = wrapperSecurity(choice.step, fields(task.stepTemplate['securityContext']), options);
  const security = mapAt(map, 'securityContext');
  if (replaced !== undefined || security === undefined) {
    const value = replaced ?? added;
    if (Object.keys(value).length > 0) editor.set(map, 'securityContext', value);
  } else {
    for (const [key, value] of Object.entries(added)) editor.set(security, key, value);
  }
}

/** What the script is told, as it is told on the host. */
function toldOnHost({ topology, options, sync }: RemotePlan, text: string): string {
  return isToldHost(topology, options) ? withoutUnsent(text, sync) : text;
}

const isRenamed = ({ wrapped, step }: StepChoice): boolean =>
  wrapped.length > 0 && step.args.length === 0 && step.own['args'] === undefined;

export function removedByWrapping({ choice }: RemotePlan): string[] {
  return choice.wrapped.length === 0 || isRenamed(choice) ? [] : ['command'];
}

/** Of a wrapped step `command` goes in front of `args`. */
export function editArguments(
  editor: YamlEditor,
  map: YAMLMap,
  { choice }: RemotePlan,
  told: (word: string) => string = (word) => word,
): void {
  const words = [...choice.wrapped, ...choice.step.args];
  const changed = words.map(told);
  const isChanged = changed.some((word, index) => word !== words[index]);
  if (isRenamed(choice) && isChanged) editor.replacePair(map, 'command', 'args', changed);
  else if (isRenamed(choice)) editor.rename(map, 'command', 'args');
  else if (isChanged || choice.wrapped.length > 0) editor.set(map, 'args', changed);
}

/** Variables of stepTemplate that are others on the host, where the step has to set them itself. */
function inheritedOnHost(plan: RemotePlan): { name: string; value: string }[] {
  const { step } = plan.choice;
  const own = new Set(list(step.own['env']).map((item) => item['name']));
  const neutral = neutralVariables(plan);
  const taken = new Set([...own, ...neutral.map(({ name }) => name)]);
  const unbound = step.env.flatMap(({ name, value = '' }) => {
    const told = toldOnHost(plan, value);
    return taken.has(name) || told === value ? [] : [{ name, value: told }];
  });
  return [...unbound, ...neutral.map(({ name, value }) => ({ name, value: toldOnHost(plan, value) }))];
}

/** What the script learns about this Task; the names are the interface between the two. */
function remoteEnvironment(plan: RemotePlan): { name: string; value: string }[] {
  const { task, choice, options, topology, sync, environment } = plan;
  const { step } = choice;
  const image = resultImage(task, choice, options);
  const shell = unusualShell(step.script ?? '');
  const isKept = (variable: string) => keptVariables(plan).some(({ name }) => name === variable);
  const variables: Record<string, string> = {
    PLATFORM: '$(params.PLATFORM)',
    MP_TASKRUN: '$(context.taskRun.name)',
    MP_NAMESPACE: '$(context.taskRun.namespace)',
    MP_UID: '$(context.taskRun.uid)',
    MP_IMAGE: step.image ?? '',
    MP_RESULT_IMAGE: image,
    MP_TRANSFER: image === '' ? 'none' : options.transfer,
    MP_STORAGE_DRIVER: storageDriver(task, choice),
    MP_WORKDIR: step.workingDir,
    ...(shell === undefined ? {} : { MP_SHELL: shell }),
    ...(step.own['results'] === undefined ? {} : { MP_STEP_RESULTS: `/tekton/steps/step-${choice.name}/results` }),
    MP_MOUNTS: String(sync.mounts.length),
    ...Object.assign({}, ...sync.mounts.map(mountVariables)),
    ...staysVariables(task, choice, sync),
    MP_ENV: [
      ...environment.variables.filter(({ name, isForwarded }) => isForwarded && !isKept(name)),
      ...(options.appendPlatform ? appendVariables : []),
    ]
      .map(({ name }) => name)
      .join('\n'),
    MP_ENV_FROM: String(environment.forwardRest),
    ...(options.envDeny.length === 0 ? {} : { MP_DROP: options.envDeny.join('\n') }),
    MP_PODMAN_ARGS: [...podmanArguments(step.securityContext), ...options.podmanArguments].map(literalValue).join('\n'),
    ...(options.podmanArgumentsFile === undefined ? {} : { MP_PODMAN_ARGS_FILE: options.podmanArgumentsFile }),
    MP_SECRET_WAIT: String(options.secretWait),
    ...registryAuthVariables(options),
    ...registryTransferVariables(plan),
    ...(topology.isOneStep ? loadingVariables(plan) : {}),
    ...(options.appendPlatform ? Object.fromEntries(appendVariables.map(({ name, value }) => [name, value])) : {}),
    ...(topology.refusesLocal ? { MP_LOCAL: 'off' } : {}),
    ...(topology.isOneStep && options.deferPush ? { MP_DEFER_PUSH: 'true' } : {}),
    ...(options.compress === 'auto' ? {} : { MP_COMPRESS: options.compress }),
    ...(options.detached ? { MP_DETACHED: 'true' } : {}),
    ...timeoutVariables(step, options),
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

function mountVariables(mount: SyncPlan['mounts'][number], index: number): Record<string, string> {
  return {
    [`MP_MOUNT_${index}_NAME`]: mount.name,
    [`MP_MOUNT_${index}_PATH`]: mount.path,
    [`MP_MOUNT_${index}_BOUND`]: mount.bound,
    [`MP_MOUNT_${index}_SYNC`]: mount.sync,
    [`MP_MOUNT_${index}_MODE`]: mount.mode,
    [`MP_MOUNT_${index}_KIND`]: mount.kind,
  };
}

/** The kubelet expands `$(NAME)` in values; doubling the sign is how it is told not to. References of Tekton stay. */
function literalValue(text: string): string {
  return text.replace(/\$\((?!(?:params|workspaces|context|results)\b)/g, '$$$$(');
}

function registryTransferVariables({ task, options }: RemotePlan): Record<string, string> {
  const value = options.transfer === 'registry' ? tlsVerify(task) : '';
  return value === '' ? {} : { MP_TLS_VERIFY: value };
}

/** An image that is in the registry and that no later step looks for in the pod is not pulled there. */
function loadingVariables({ task, choice, options }: RemotePlan): Record<string, string> {
  return isLoaded(task, choice, options) ? {} : { MP_LOAD: 'false' };
}

export function localStepVariables(plan: RemotePlan): YamlValue[] {
  const driver = { name: 'MP_STORAGE_DRIVER', value: storageDriver(plan.task, plan.choice) };
  const { deferPush, appendPlatform } = plan.options;
  return [
    driver,
    ...Object.entries({ ...registryTransferVariables(plan), ...loadingVariables(plan) }).map(([name, value]) => ({
      name,
      value,
    })),
    ...(deferPush ? [{ name: 'MP_DEFER_PUSH', value: 'true' }] : []),
    ...(appendPlatform ? appendVariables : []),
  ];
}
