// --registry-auth: credentials for a registry that may reach the host, each from a Secret that a TaskRun names for this and nothing else.
// The credentials of the pod never do.

import type { Finding } from './findings.ts';
import type { GenerateOptions, RegistryAuth } from './options.ts';
import { resultImage } from './image-plan.ts';
import type { ImageOptions } from './image-plan.ts';
import type { StepChoice } from './step-choice.ts';
import type { Task } from './task-model.ts';
import type { YamlValue } from './yaml-text.ts';

interface Credential {
  readonly for: readonly RegistryAuth[];
  readonly parameter: string;
  readonly description: string;
  readonly default: string;
  readonly variable: string;
  readonly mount: { readonly name: string; readonly mountPath: string; readonly readOnly: true };
}

const credentials: readonly Credential[] = [
  {
    for: ['pull', 'both'],
    parameter: 'REGISTRY_AUTH_SECRET',
    description:
      'Secret of type kubernetes.io/dockerconfigjson whose credentials are sent to the build host to pull private images; give them the right to pull only.',
    default: 'multi-platform-registry-auth',
    variable: 'MP_REGISTRY_AUTH_FILE',
    mount: { name: 'mp-registry-auth', mountPath: '/mp-registry-auth', readOnly: true },
  },
  {
    for: ['push', 'both'],
    parameter: 'REGISTRY_PUSH_SECRET',
    description:
      'Secret of type kubernetes.io/dockerconfigjson whose credentials are sent to the build host to push the image from there; give them the right to push to its repository only, and a short life.',
    default: 'multi-platform-registry-push',
    variable: 'MP_REGISTRY_PUSH_FILE',
    mount: { name: 'mp-registry-push', mountPath: '/mp-registry-push', readOnly: true },
  },
];

type Asked = Pick<GenerateOptions, 'registryAuth'>;

const wanted = ({ registryAuth }: Asked): readonly Credential[] =>
  credentials.filter((credential) => credential.for.includes(registryAuth));

function pushesFromHost({ registryAuth }: Asked): boolean {
  return registryAuth === 'push' || registryAuth === 'both';
}

/** Whose push finds the credential on the host: that of the script, or the one that follows when it has ended. */
export type Pusher = 'nobody' | 'script' | 'transfer';

export function pusherOf(task: Task, choice: StepChoice, options: Asked & ImageOptions): Pusher {
  if (!pushesFromHost(options)) return 'nobody';
  return options.transfer === 'registry' && resultImage(task, choice, options) !== '' ? 'transfer' : 'script';
}

export function registryAuthParameters(options: Asked): YamlValue[] {
  return wanted(options).map(({ parameter, description, default: value }) => ({
    name: parameter,
    type: 'string',
    description,
    default: value,
  }));
}

/** Optional: the step says in a sentence which one is missing, where the kubelet would wait for it. */
export function registryAuthVolumes(options: Asked): YamlValue[] {
  return wanted(options).map(({ parameter, mount }) => ({
    name: mount.name,
    secret: { secretName: `$(params.${parameter})`, optional: true },
  }));
}

export function registryAuthMounts(options: Asked): YamlValue[] {
  return wanted(options).map(({ mount }) => mount);
}

export function registryAuthVariables(options: Asked): Record<string, string> {
  const files = wanted(options).map(({ variable, mount }) => [variable, `${mount.mountPath}/.dockerconfigjson`]);
  return files.length === 0 ? {} : { MP_REGISTRY_AUTH: options.registryAuth, ...Object.fromEntries(files) };
}

/** Parameters of the Task that stand in the way of those that name the Secrets. */
export function registryNameFindings(task: Task, options: Asked): Finding[] {
  return wanted(options).flatMap(({ parameter }): Finding[] => {
    const taken = task.parameters.findIndex(({ name }) => name.toUpperCase() === parameter);
    const at = ['spec', 'params', taken];
    const message = `Parameter "${task.parameters[taken]?.name}" exists already, and --registry-auth ${options.registryAuth} adds ${parameter}.`;
    return taken < 0 ? [] : [{ code: 'MPT008', at, message, fix: 'Rename it.' }];
  });
}

/** A push from the host, and who makes it: this script's last act, or the script itself. */
export function registryPushFindings(
  { index }: StepChoice,
  options: Pick<GenerateOptions, 'registryAuth' | 'transfer' | 'deferPush' | 'detached'>,
): Finding[] {
  const found = (message: string, fix: string): Finding => ({
    code: 'MPT037',
    at: ['spec', 'steps', index],
    message,
    fix,
  });
  const byRegistry = options.transfer === 'registry';
  return [
    ...(byRegistry && !pushesFromHost(options)
      ? [found('--transfer registry pushes from the host, which has no credential.', 'Add --registry-auth push.')]
      : []),
    ...(options.deferPush && (byRegistry || pushesFromHost(options))
      ? [
          found(
            '--defer-push keeps the push in the cluster, and another flag makes it on the host.',
            'Leave one of them out.',
          ),
        ]
      : []),
    ...(options.transfer === 'stream' && options.detached
      ? [
          found(
            '--transfer stream cannot go on after a lost connection, and --detached wants it to.',
            'Say --transfer oci.',
          ),
        ]
      : []),
  ];
}
