// The command line: flags, their defaults, the text of --help, and the reading of values.
// It turns words into options and refuses what it does not know; it reads no file and writes nothing itself.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isAcceptable } from './findings.ts';
import { defaultOptions, volumeSyncs, workspaceSyncs } from './options.ts';
import type { GenerateOptions, Transfer, VolumeSync, WorkspaceSync } from './options.ts';
import { afterHelp } from './help-text.ts';

export interface Invocation {
  readonly sources: readonly string[];
  readonly output: string | undefined;
  readonly check: boolean;
  readonly json: boolean;
  readonly explain: boolean;
  /** Remarks on the command line itself, for stderr. */
  readonly remarks: readonly string[];
  readonly options: GenerateOptions;
}

/** What commander wants to say instead: help, or what is wrong with the command line. */
export interface Answer {
  readonly exitCode: 0 | 2;
  readonly stdout: string;
  readonly stderr: string;
}

interface Flags extends Omit<GenerateOptions, 'accepted' | 'podmanArguments' | 'imageParameter' | 'sync' | 'volumes'> {
  output?: string;
  check: boolean;
  json: boolean;
  explain: boolean;
  imageParam: string;
  podmanArg: string[];
  sync: Map<string, WorkspaceSync>;
  volume: Map<string, VolumeSync>;
  accept: string[];
  allowSidecars: boolean;
  buildahTask?: string;
  remoteTask?: string;
  taskVersion?: string;
  wrapperResources: { cpu: string; memory: string };
}

export function parseCommandLine(words: readonly string[]): Invocation | Answer {
  const output = { stdout: '', stderr: '' };
  const command = buildCommand()
    .exitOverride()
    .configureOutput({ writeOut: (text) => (output.stdout += text), writeErr: (text) => (output.stderr += text) });
  try {
    command.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { ...output, exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  const usage = (problem: string): Answer => ({ exitCode: 2, stdout: '', stderr: `error: ${problem}\n` });
  return readFlags(command.opts<Flags>(), command.args, usage);
}

function readFlags(flags: Flags, args: readonly string[], usage: (problem: string) => Answer): Invocation | Answer {
  const sources = [...(flags.buildahTask === undefined ? [] : [flags.buildahTask]), ...args];
  const output = flags.output ?? flags.remoteTask;
  if (sources.length === 0)
    return usage('no source: name a file, or - for standard input. taskgen --help shows examples');
  if (output !== undefined && sources.length > 1)
    return usage('-o takes the Task of one source; call taskgen once for each');
  if (flags.check && output === undefined) return usage('--check compares with a file: add -o FILE');
  if (flags.explain && output !== undefined) return usage('--explain writes to standard output; leave out -o');
  const unknown = flags.accept.find((code) => !isAcceptable(code));
  if (unknown !== undefined) return usage(`--accept ${unknown}: no such code, or one that cannot be accepted`);
  const remarks =
    flags.taskVersion === undefined ? [] : ['note: --task-version has no effect; the label of the source is kept'];
  const { check, json, explain } = flags;
  return { sources, output, check, json, explain, remarks, options: toOptions(flags) };
}

function toOptions(flags: Flags): GenerateOptions {
  const {
    step, wrapCommand, select, name, suffix, runnerImage, platformDefault, apiVersion, imageParam, transfer, sync, volume, envAllow, envDeny, podmanArg,
    secretOptional, secretWait, sshVolumeName, wrapperResources, unprivilegedWrapper, accept, allowSidecars, strict,
  } = flags; // prettier-ignore
  return {
    step, wrapCommand, select, name, suffix, runnerImage, platformDefault, apiVersion, imageParameter: imageParam, transfer, sync, volumes: volume,
    envAllow, envDeny, podmanArguments: podmanArg, secretOptional, secretWait, sshVolumeName,
    wrapperCpu: wrapperResources.cpu, wrapperMemory: wrapperResources.memory, unprivilegedWrapper,
    accepted: new Set(allowSidecars ? [...accept, 'MPT013'] : accept), strict,
  }; // prettier-ignore
}

function buildCommand(): Command {
  const command = new Command('taskgen')
    .description(
      'Turns a Tekton Task that builds in its pod into one that builds on a host of the platform it is asked for.',
    )
    .argument('[source...]', 'file with the Task (YAML or JSON), or - for standard input')
    .helpOption('-h, --help', 'show this text')
    .addHelpText('after', afterHelp)
    .showSuggestionAfterError(true);
  for (const option of [...outputFlags(), ...taskFlags(), ...dataFlags(), ...podFlags()]) command.addOption(option);
  return command;
}

const flag = (names: string, description: string) => new Option(names, description);
const repeated = (names: string, description: string) =>
  flag(names, description)
    .default([], 'none')
    .argParser((value: string, previous: string[]) => [...previous, value]);

function outputFlags(): Option[] {
  return [
    flag('-o, --output <file>', 'write the Task to a file instead of standard output'),
    flag('--check', 'write nothing; exit 1 with a diff when the file of -o is out of date').default(false),
    flag('--explain', 'write no Task; say what would go to the host and what would come back').default(false),
    flag('--json', 'print findings as JSON lines (they always go to standard error)').default(false),
    flag('--strict', 'treat warnings as errors').default(false),
    repeated('--accept <code>', 'go on in spite of this finding (repeatable)'),
    flag('--allow-sidecars', 'the same as --accept MPT013').default(false),
    flag('--buildah-task <file>', 'old name of the source argument').hideHelp(),
    flag('--remote-task <file>', 'old name of --output').hideHelp(),
    flag('--task-version <version>', 'accepted for old callers, without effect').hideHelp(),
  ];
}

function taskFlags(): Option[] {
  const { step, suffix, imageParameter } = defaultOptions;
  return [
    flag('--step <name>', 'the step that goes to the host, by name or index').default(step),
    flag('--wrap-command', 'take a step that has a command in place of a script').default(false),
    flag('--select <name>', 'the Task to take from a file with several'),
    flag('--name <name>', 'name of the new Task'),
    flag('--suffix <text>', 'added to the name of the source when --name is not given').default(suffix),
    flag('--platform-default <platform>', 'default value for the parameter PLATFORM'),
    flag('--image-param <name>', 'parameter with the tag of the image that the step builds').default(imageParameter),
    flag('--api-version <version>', 'write a v1beta1 Task as v1').choices(['v1']),
    flag('--transfer <how>', 'how the image comes back: as an OCI layout, or not at all')
      .choices(['oci', 'none'] satisfies Transfer[])
      .default(defaultOptions.transfer),
  ];
}

function dataFlags(): Option[] {
  return [
    flag('--sync <workspace=how>', `what of a workspace is copied: ${workspaceSyncs.join(', ')} (repeatable)`)
      .default(new Map(), 'by rule')
      .argParser(assignments(workspaceSyncs)),
    flag('--volume <name=how>', `what of a volume is copied: ${volumeSyncs.join(', ')} (repeatable)`)
      .default(new Map(), 'by rule')
      .argParser(assignments(volumeSyncs)),
    repeated('--env-allow <glob>', 'set these variables on the host too, even from Secrets (repeatable)'),
    repeated('--env-deny <glob>', 'do not set these variables on the host (repeatable)'),
    repeated(
      '--podman-arg <argument>',
      'argument for podman run on the host, as --podman-arg=--device=/dev/fuse (repeatable)',
    ),
  ];
}

function podFlags(): Option[] {
  const { runnerImage, wrapperCpu: cpu, wrapperMemory: memory, secretWait } = defaultOptions;
  return [
    flag('--runner-image <ref>', 'image of the step that connects to the host').default(runnerImage),
    flag('--wrapper-resources <cpu/memory>', 'what that step asks for, when the source asks for anything')
      .default({ cpu, memory }, `${cpu}/${memory}`)
      .argParser(readResources),
    flag('--unprivileged-wrapper', 'give that step no privileges, whatever the source has').default(false),
    flag('--secret-optional [boolean]', 'false: the pod does not start before the host is there, as in older Tasks')
      .default(true)
      .argParser(readBoolean),
    flag(
      '--secret-wait <seconds>',
      'give up waiting for a host after this time; 0 waits as long as the TaskRun may run',
    )
      .default(secretWait)
      .argParser(readSeconds),
    flag('--ssh-volume-name <name>', 'name of the volume with the credentials of the host (default: ssh, else mp-ssh)'),
  ];
}

function assignments<T extends string>(allowed: readonly T[]) {
  return (value: string, previous: Map<string, T>): Map<string, T> => {
    const [, name, word] = /^([^=]+)=(.*)$/.exec(value) ?? [];
    const known = allowed.find((candidate) => candidate === word);
    if (name === undefined || known === undefined) {
      throw new InvalidArgumentError(`Write NAME=HOW, with HOW one of: ${allowed.join(', ')}.`);
    }
    return new Map([...previous, [name, known]]);
  };
}

function readResources(value: string): { cpu: string; memory: string } {
  const [, cpu, memory] = /^(\d[\w.]*)\/(\d[\w.]*)$/.exec(value) ?? [];
  if (cpu === undefined || memory === undefined)
    throw new InvalidArgumentError('Write CPU/MEMORY, for example 250m/256Mi.');
  return { cpu, memory };
}

function readBoolean(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new InvalidArgumentError('Write true or false.');
  return value === 'true';
}

function readSeconds(value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new InvalidArgumentError('Write a number of seconds.');
  return Number(value);
}
