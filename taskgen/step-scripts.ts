// The text of the two generated scripts: fixed parts, then what the user wrote, always behind an exit and found by line number.
// What runs is in the shell files; nothing of the user's text is changed here.

import { prefixedScript } from './append-platform.ts';
import type { GenerateOptions } from './options.ts';
import { combineScripts } from './script-file.ts';
import type { StepChoice } from './step-choice.ts';
import type { SyncPlan } from './sync-plan.ts';
import type { Topology } from './topology.ts';
import { isOnlyOnHost, withoutUnsent } from './unsent-workspaces.ts';

/** The fixed texts, as they stand in the shell files of this folder. */
export interface Scripts {
  readonly remote: string;
  /** The same with podman as root of the host. */
  readonly remoteAsRoot: string;
  readonly local: string;
  readonly deferPush: string;
  readonly sameStep: string;
}

/** Of the step that connects to the host, and of the one after it where there is one. */
export interface StepScripts {
  readonly remote: string;
  readonly local: string | undefined;
}

type Wanted = Pick<GenerateOptions, 'deferPush' | 'afterLoad' | 'appendPlatform' | 'imageParameter' | 'hostRootful'>;

export function stepScripts(
  scripts: Scripts,
  { step }: Pick<StepChoice, 'step'>,
  topology: Topology,
  sync: SyncPlan,
  options: Wanted,
): StepScripts {
  const { isOneStep, hasLocalStep } = topology;
  const userScript = step.script ?? '';
  const sent = isOnlyOnHost(topology, options) ? withoutUnsent(userScript, sync) : userScript;
  const remote = remoteScript(scripts, prefixedScript(step, sent, options), options);
  const local = localScript(scripts, userScript, options);
  if (isOneStep) return { remote: inOneStep(scripts, local, remote), local: undefined };
  return { remote, local: hasLocalStep ? local : undefined };
}

/** The shell of an image that has it in a place of its own, as its script says: such an image may have no /bin/sh. */
export function unusualShell(userScript: string): string | undefined {
  return /^#!\s*(\/(?!bin\/|usr\/)\S*sh)(?:\s|$)/.exec(userScript)?.[1];
}

function inShellOf(userScript: string, script: string): string {
  const shell = unusualShell(userScript);
  return shell === undefined ? script : script.replace(/^#!\/bin\/sh\n/, () => `#!${shell}\n`);
}

export function remoteScript(
  scripts: Pick<Scripts, 'remote' | 'remoteAsRoot' | 'deferPush'>,
  userScript: string,
  { deferPush, hostRootful }: Pick<Wanted, 'deferPush' | 'hostRootful'>,
): string {
  const run = deferPush ? followedBy(inShellOf(userScript, scripts.deferPush), 'line=0', userScript) : userScript;
  return combineScripts(hostRootful ? scripts.remoteAsRoot : scripts.remote, run);
}

function localScript(scripts: Scripts, userScript: string, { afterLoad }: Wanted): string {
  const local = inShellOf(userScript, scripts.local);
  if (afterLoad === undefined) return local;
  const fragment = afterLoad.startsWith('#!')
    ? afterLoad
    : `#!${unusualShell(userScript) ?? '/bin/sh'}\nset -e\n${afterLoad}`;
  return followedBy(`${local}exit\n`, 'after_load_line=0', fragment);
}

/** Both in one step: the local half, then the remote one, whose lines keep the numbers they have in a file of their own. */
function inOneStep(scripts: Scripts, localHalf: string, remoteHalf: string): string {
  const first = followedBy(scripts.sameStep, 'local_line=0', localHalf.endsWith('\n') ? localHalf : `${localHalf}\n`);
  return followedBy(first, 'remote_line=0', remoteHalf);
}

/** `setting` in the first text becomes the number of the line on which the second begins. */
function followedBy(first: string, setting: string, second: string): string {
  const line = first.split('\n').length;
  return first.replace(setting, () => setting.replace('0', String(line))) + second;
}
