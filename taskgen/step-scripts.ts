// The text of the two generated scripts: fixed parts, then what the user wrote, always behind an exit and found by line number.
// What runs is in the shell files; nothing of the user's text is changed here.

import type { GenerateOptions } from './options.ts';
import { combineScripts } from './script-file.ts';

/** The fixed texts, as they stand in the shell files of this folder. */
export interface Scripts {
  readonly remote: string;
  readonly local: string;
  readonly deferPush: string;
}

type Wanted = Pick<GenerateOptions, 'deferPush' | 'afterLoad'>;

/** The shell of an image that has it in a place of its own, as its script says: such an image may have no /bin/sh. */
export function unusualShell(userScript: string): string | undefined {
  return /^#!\s*(\/(?!bin\/|usr\/)\S*sh)(?:\s|$)/.exec(userScript)?.[1];
}

function inShellOf(userScript: string, script: string): string {
  const shell = unusualShell(userScript);
  return shell === undefined ? script : script.replace(/^#!\/bin\/sh\n/, () => `#!${shell}\n`);
}

export function remoteScript(scripts: Scripts, userScript: string, options: Wanted): string {
  const run = options.deferPush
    ? followedBy(inShellOf(userScript, scripts.deferPush), 'line=0', userScript)
    : userScript;
  return combineScripts(scripts.remote, run);
}

export function localScript(scripts: Scripts, userScript: string, { afterLoad }: Wanted): string {
  const local = inShellOf(userScript, scripts.local);
  if (afterLoad === undefined) return local;
  const fragment = afterLoad.startsWith('#!')
    ? afterLoad
    : `#!${unusualShell(userScript) ?? '/bin/sh'}\nset -e\n${afterLoad}`;
  return followedBy(`${local}exit\n`, 'after_load_line=0', fragment);
}

/** `setting` in the first text becomes the number of the line on which the second begins. */
function followedBy(first: string, setting: string, second: string): string {
  const line = first.split('\n').length;
  return first.replace(setting, () => setting.replace('0', String(line))) + second;
}
