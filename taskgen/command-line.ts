// The command line as values: which sources, where to, and the options for each. It refuses what it does not know.
// It reads no file and writes nothing itself; the flags are in flags.ts.

import { Command, CommanderError } from 'commander';
import { isAcceptable } from './findings.ts';
import { allFlags, unsetFlags } from './flags.ts';
import { afterHelp } from './help-text.ts';
import type { GenerateOptions, VolumeSync, WorkspaceSync } from './options.ts';

export interface Invocation {
  readonly sources: readonly string[];
  readonly output: string | undefined;
  /** `taskgen.yaml`, or `source=output`. */
  readonly maps: readonly string[];
  readonly check: boolean;
  /** A registry is to be asked about the step's image, by whoever uses the network. */
  readonly checkImages: boolean;
  readonly json: boolean;
  readonly explain: boolean;
  /** File with the text of `options.afterLoad`, which is read by whoever reads files. */
  readonly afterLoad: string | undefined;
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

interface Flags extends Omit<
  GenerateOptions,
  | 'accepted'
  | 'imageFacts'
  | 'podmanArguments'
  | 'podmanArgumentsFile'
  | 'imageParameter'
  | 'sync'
  | 'volumes'
  | 'afterLoad'
> {
  output?: string;
  inPlaceMap: string[];
  check: boolean;
  checkImages: boolean;
  json: boolean;
  imageParam: string;
  podmanArg: string[];
  podmanArgsFile?: string;
  sync: Map<string, WorkspaceSync>;
  volume: Map<string, VolumeSync>;
  accept: string[];
  allowSidecars: boolean;
  afterLoad?: string;
  buildahTask?: string;
  remoteTask?: string;
  taskVersion?: string;
  wrapperResources: { cpu: string; memory: string };
}

export function parseCommandLine(words: readonly string[]): Invocation | Answer {
  const output = { stdout: '', stderr: '' };
  const explain = words[0] === 'explain';
  const command = buildCommand()
    .exitOverride()
    .configureOutput({ writeOut: (text) => (output.stdout += text), writeErr: (text) => (output.stderr += text) });
  try {
    command.parse(words.slice(explain ? 1 : 0), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { ...output, exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  return readFlags({ ...unsetFlags, ...command.opts<Flags>() }, command.args, explain);
}

function buildCommand(): Command {
  const command = new Command('taskgen')
    .usage('[explain] [options] SOURCE...')
    .description(
      'Turns a Tekton Task that builds in its pod into one that builds on a host of the platform it is asked for.',
    )
    .argument('[source...]', 'file with the Task (YAML or JSON), or - for standard input')
    .helpOption('-h, --help', 'show this text')
    .addHelpText('after', afterHelp)
    .showSuggestionAfterError(true);
  for (const option of allFlags()) command.addOption(option);
  return command;
}

function readFlags(flags: Flags, args: readonly string[], explain: boolean): Invocation | Answer {
  const sources = [...(flags.buildahTask === undefined ? [] : [flags.buildahTask]), ...args];
  const output = flags.output ?? flags.remoteTask;
  const problem = usageProblem(flags, sources, output, explain);
  if (problem !== undefined) return { exitCode: 2, stdout: '', stderr: `error: ${problem}\n` };
  const remarks =
    flags.taskVersion === undefined ? [] : ['note: --task-version has no effect; the label of the source is kept'];
  const { check, checkImages, json, inPlaceMap: maps, afterLoad } = flags;
  return { sources, output, maps, check, checkImages, json, explain, afterLoad, remarks, options: toOptions(flags) };
}

function usageProblem(
  flags: Flags,
  sources: readonly string[],
  output: string | undefined,
  explain: boolean,
): string | undefined {
  const mapped = flags.inPlaceMap.length > 0;
  if (mapped && (sources.length > 0 || output !== undefined || explain))
    return '--in-place-map names sources and outputs itself; leave out other sources, -o and explain';
  if (sources.length === 0 && !mapped)
    return 'no source: name a file, or - for standard input. taskgen --help shows examples';
  if (sources.filter((source) => source === '-').length > 1) return 'standard input (-) can be read only once';
  if (output !== undefined && sources.length > 1)
    return '-o takes the Task of one source; call taskgen once for each, or use --in-place-map';
  if (flags.check && output === undefined && !mapped) return '--check compares with a file: add -o FILE';
  if (explain && output !== undefined) return 'explain writes to standard output; leave out -o';
  const topology = topologyProblem(flags);
  if (topology !== undefined) return topology;
  const unknown = flags.accept.find((code) => !isAcceptable(code));
  return unknown === undefined ? undefined : `--accept ${unknown}: no such code, or one that cannot be accepted`;
}

/** Flags that make no sense together. */
function topologyProblem({
  runnerImage,
  local,
  wrapperUser,
  unprivilegedWrapper,
  afterLoad,
}: Flags): string | undefined {
  if (runnerImage !== 'same') {
    return local === 'same-step'
      ? '--local same-step would run the script in the runner image; add --runner-image same'
      : undefined;
  }
  if (wrapperUser !== undefined || unprivilegedWrapper)
    return '--wrapper-user and --unprivileged-wrapper are for a runner image; with --runner-image same the step keeps its rights';
  if (afterLoad !== undefined && local !== 'extra-step')
    return '--after-load needs a step of its own; with --runner-image same add --local extra-step';
  return undefined;
}

function toOptions(flags: Flags): GenerateOptions {
  const {
    step, wrapCommand, select, name, suffix, runnerImage, platformDefault, apiVersion, imageParam, appendPlatform, transfer, registryAuth, deferPush,
    sync, volume, envAllow, envDeny, podmanArg, podmanArgsFile, hostRootful, secretOptional, secretWait, sshVolumeName, local, wrapperResources, wrapperUser, unprivilegedWrapper,
    compress, detached, timeoutMargin, accept, allowSidecars, strict,
  } = flags; // prettier-ignore
  return {
    step, wrapCommand, select, name, suffix, runnerImage, platformDefault, apiVersion, imageParameter: imageParam, appendPlatform, transfer,
    registryAuth, deferPush, afterLoad: undefined, sync, volumes: volume, envAllow, envDeny, podmanArguments: podmanArg, podmanArgumentsFile: podmanArgsFile, hostRootful, secretOptional, secretWait,
    sshVolumeName, local, wrapperCpu: wrapperResources.cpu, wrapperMemory: wrapperResources.memory, wrapperUser, unprivilegedWrapper, compress, detached,
    timeoutMargin, imageFacts: undefined, accepted: new Set(allowSidecars ? [...accept, 'MPT013'] : accept), strict,
  }; // prettier-ignore
}
