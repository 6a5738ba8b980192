// Every flag of the command line: its name, default, the values it takes, and its line in --help. What a flag does is decided elsewhere.

import { InvalidArgumentError, Option } from 'commander';
import {
  readDuration,
  readImageParameter,
  readNumber,
  readPlatform,
  readReference,
  readResources,
  readVolumeName,
} from './flag-values.ts';
import {
  compressions,
  defaultOptions,
  localBuilds,
  registryAuths,
  transfers,
  volumeSyncs,
  workspaceSyncs,
} from './options.ts';

const flag = (names: string, description: string) => new Option(names, description);
const repeated = (names: string, description: string) =>
  flag(names, description).argParser((value: string, previous?: string[]) => [...(previous ?? []), value]);

/** Those that are not given. */
export const unsetFlags = {
  inPlaceMap: [], check: false, checkImages: false, json: false, strict: false, accept: [], allowSidecars: false, wrapCommand: false, appendPlatform: false,
  deferPush: false, sync: new Map(), volume: new Map(), envAllow: [], envDeny: [], podmanArg: [], hostRootful: false, unprivilegedWrapper: false, detached: false,
}; // prettier-ignore

export function allFlags(): Option[] {
  const groups = {
    'Output and findings:': outputFlags(),
    'Which step, which names:': taskFlags(),
    'The image:': imageFlags(),
    'What the host sees:': dataFlags(),
    'The step that connects to the host:': podFlags(),
  };
  return Object.entries(groups).flatMap(([heading, flags]) => flags.map((it) => it.helpGroup(heading)));
}

function outputFlags(): Option[] {
  return [
    flag('-o, --output <file>', 'write the Task to a file instead of standard output'),
    repeated(
      '--in-place-map <file|source=output>',
      'several Tasks at once: a file such as taskgen.yaml, or pairs (repeatable)',
    ),
    flag('--check', 'write nothing; exit 1 with a diff when an output is out of date'),
    flag('--json', 'print findings as JSON lines (they always go to standard error)'),
    flag('--check-images', 'ask the registry for which platforms the image of the step exists'),
    flag('--strict', 'treat warnings as errors'),
    repeated('--accept <code>', 'go on in spite of this finding (repeatable)'),
    flag('--allow-sidecars', 'the same as --accept MPT013'),
    flag('--buildah-task <file>', 'old name of the source argument').hideHelp(),
    flag('--remote-task <file>', 'old name of --output').hideHelp(),
    flag('--task-version <version>', 'accepted for old callers, without effect').hideHelp(),
  ];
}

function taskFlags(): Option[] {
  const { step, suffix } = defaultOptions;
  return [
    flag('--step <name>', 'the step that goes to the host, by name or index').default(step),
    flag('--wrap-command', 'take a step that has a command in place of a script'),
    flag('--select <name>', 'the Task to take from a file with several'),
    flag('--name <name>', 'name of the new Task'),
    flag('--suffix <text>', 'added to the name of the source when --name is not given').default(suffix),
    flag('--platform-default <platform>', 'default value for the parameter PLATFORM').argParser(readPlatform),
    flag('--platform-param <name>', 'accepted for completeness').argParser(readPlatformParameter).hideHelp(),
    flag('--api-version <version>', 'write a v1beta1 Task as v1').choices(['v1']),
  ];
}

function imageFlags(): Option[] {
  const { imageParameter, transfer, registryAuth } = defaultOptions;
  return [
    flag(
      '--image-param <name>',
      "parameter with the tag of the image that the step builds, or a text with several: '$(params.url):$(params.tag)'",
    )
      .default(imageParameter)
      .argParser(readImageParameter),
    flag('--append-platform', 'add the parameter IMAGE_APPEND_PLATFORM, which ends the tag in -<platform>'),
    flag('--defer-push', 'for a script that also pushes: that part runs in the cluster, with the image back'),
    flag('--after-load <file>', 'script to run in the cluster when the image is loaded, before later steps'),
    flag(
      '--transfer <how>',
      'how the image comes back: as an OCI layout, as one stream, by a push from the host, or not at all',
    )
      .choices(transfers)
      .default(transfer),
    flag(
      '--registry-auth <which>',
      'credentials that may reach the host, each from a Secret of its own: to pull private images, to push, both, or none',
    )
      .choices(registryAuths)
      .default(registryAuth),
  ];
}

function dataFlags(): Option[] {
  return [
    flag(
      '--sync <workspace=how>',
      `what of a workspace is copied: ${workspaceSyncs.join(', ')} (repeatable)`,
    ).argParser(assignments(workspaceSyncs)),
    flag('--volume <name=how>', `what of a volume is copied: ${volumeSyncs.join(', ')} (repeatable)`).argParser(
      assignments(volumeSyncs),
    ),
    repeated('--env-allow <glob>', 'set these variables on the host too, even from Secrets (repeatable)'),
    repeated('--env-deny <glob>', 'do not set these variables on the host (repeatable)'),
    repeated(
      '--podman-arg <argument>',
      'argument for podman run on the host, as --podman-arg=--device=/dev/fuse (repeatable)',
    ),
    flag('--podman-args-file <path>', 'file with more of them, one a line, which an earlier step left in the pod'),
    flag(
      '--host-rootful',
      'run podman as root of the host, by sudo; its platform needs sudo-commands: /usr/bin/podman',
    ),
  ];
}

function podFlags(): Option[] {
  const { runnerImage, wrapperCpu: cpu, wrapperMemory: memory, secretWait } = defaultOptions;
  return [
    flag('--runner-image <ref>', 'image of the step that connects to the host; same: the image it builds in')
      .default(runnerImage)
      .argParser(readReference),
    flag('--local <where>', 'where PLATFORM=localhost builds: in a step of its own, in the same one, or not at all')
      .choices(localBuilds)
      .default(undefined, 'extra-step; same-step with --runner-image same'),
    flag('--wrapper-resources <cpu/memory>', 'what that step asks for, when the source asks for anything')
      .default({ cpu, memory }, `${cpu}/${memory}`)
      .argParser(readResources),
    flag('--wrapper-user <uid>', 'user id of that step, when the source sets none').argParser(readNumber),
    flag('--unprivileged-wrapper', 'give that step no privileges, whatever the source has'),
    flag('--compress <when>', 'compress what goes over the connection; auto: when the host is 20 ms away or more')
      .choices(compressions)
      .default(defaultOptions.compress),
    flag('--attached', 'the build ends when the connection is lost (default)').conflicts('detached'),
    flag('--detached', 'the build goes on when the connection is lost, and the step connects again'),
    flag(
      '--timeout-margin <time>',
      "stop the build this long before the step's own timeout, to bring back what it wrote",
    )
      .default(undefined, '60s')
      .argParser(readDuration),
    flag('--secret-optional [boolean]', 'false: the pod does not start before the host is there, as in older Tasks')
      .default(true)
      .argParser(readBoolean),
    flag(
      '--secret-wait <seconds>',
      'give up waiting for a host after this time; 0 waits as long as the TaskRun may run',
    )
      .default(secretWait)
      .argParser(readNumber),
    flag(
      '--ssh-volume-name <name>',
      'name of the volume with the credentials of the host (default: ssh, else mp-ssh)',
    ).argParser(readVolumeName),
  ];
}

function assignments<T extends string>(allowed: readonly T[]) {
  return (value: string, previous?: ReadonlyMap<string, T>): Map<string, T> => {
    const [, name, word] = /^([^=]+)=(.*)$/.exec(value) ?? [];
    const known = allowed.find((candidate) => candidate === word);
    if (name === undefined || known === undefined) {
      throw new InvalidArgumentError(`Write NAME=HOW, with HOW one of: ${allowed.join(', ')}.`);
    }
    return new Map([...(previous ?? []), [name, known]]);
  };
}

/** The name is part of the controller's contract. */
function readPlatformParameter(value: string): string {
  if (value !== 'PLATFORM')
    throw new InvalidArgumentError('Controllers read the parameter PLATFORM of a TaskRun and no other.');
  return value;
}

function readBoolean(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new InvalidArgumentError('Write true or false.');
  return value === 'true';
}
