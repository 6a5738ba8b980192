// Variables of the step that would govern the step in its place, too: with the PATH of the builder image the runner image finds no bash.
// There they have another name; the remote script gives them to the script on the host under their own.

import { isMap, isSeq } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { EnvironmentPlan } from './environment-plan.ts';
import type { StepChoice } from './step-choice.ts';
import { list } from './task-model.ts';
import type { EnvironmentVariable } from './task-model.ts';
import type { Topology } from './topology.ts';
import { pairOf } from './yaml-places.ts';
import type { YamlEditor } from './yaml-editor.ts';

interface Planned {
  readonly choice: StepChoice;
  readonly topology: Topology;
  readonly environment: EnvironmentPlan;
}

interface KeptVariable {
  readonly name: string;
  readonly keptAs: string;
  /** Undefined: from elsewhere. */
  readonly value: string | undefined;
  /** From stepTemplate, where it stays: the step can only give it another value. */
  readonly isInherited: boolean;
}

/** What bash, the loader of libraries, or rsync reads before it does anything else. */
const governing =
  /^(?:PATH|ENV|SHELLOPTS|BASHOPTS|BASH_\w+|IFS|CDPATH|GLOBIGNORE|POSIXLY_CORRECT|LD_\w+|OPENSSL_CONF|RSYNC_\w+)$/;
/** Of these an empty value, or the usual one, is as good as none. */
const neutral: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ENV: '', BASH_ENV: '', SHELLOPTS: '', BASHOPTS: '', CDPATH: '', LD_PRELOAD: '', LD_LIBRARY_PATH: '', LD_AUDIT: '',
}; // prettier-ignore

/** Of stepTemplate only constants: of a value from elsewhere it is not known whether there is one. */
export function keptVariables({ choice, topology, environment }: Planned): KeptVariable[] {
  if (topology.keepsImage) return [];
  const { step } = choice;
  const own = new Set(list(step.own['env']).map((item) => item['name']));
  const others = step.env.filter(({ name }) => !own.has(name)).map(({ value }) => value);
  const unchanged = [...others, ...step.args, ...choice.wrapped].join('\n');
  return step.env.flatMap(({ name, value }: EnvironmentVariable): KeptVariable[] => {
    const isInherited = !own.has(name);
    const isMeant = governing.test(name) && (!isInherited || name in neutral);
    if (!isMeant || (isInherited && value === undefined) || unchanged.includes(`$(${name})`)) return [];
    const isForwarded = environment.variables.some((it) => it.name === name && it.isForwarded);
    return [{ name, keptAs: `${isForwarded ? 'MP_AS_' : 'MP_OF_'}${name}`, value, isInherited }];
  });
}

/**
 * Variables to add for those that stepTemplate sets. Tekton puts a name that is new ahead of those of stepTemplate, except that one which both
 * have stays behind what it was behind, and the new name behind that: so the other variables in the value are known there.
 */
export function neutralVariables(plan: Planned): { name: string; value: string }[] {
  return keptVariables(plan)
    .filter(({ isInherited }) => isInherited)
    .flatMap(({ name, keptAs, value }) => [
      { name, value: neutral[name] ?? '' },
      { name: keptAs, value: value ?? '' },
    ]);
}

/** Names and values of the variables that the step sets itself, as they are on the host: of each value one edit. */
export function editVariables(
  editor: YamlEditor,
  map: YAMLMap,
  plan: Planned,
  valueOnHost: (value: string) => string,
): void {
  const kept = keptVariables(plan).filter(({ isInherited }) => !isInherited);
  const env = pairOf(map, 'env')?.value;
  for (const item of isSeq(env) ? env.items : []) {
    if (!isMap(item)) continue;
    const found = kept.find(({ name }) => name === item.get('name'));
    if (found !== undefined) editor.set(item, 'name', found.keptAs);
    const value = item.get('value');
    if (typeof value !== 'string') continue;
    const changed = kept.reduce(
      (text, { name, keptAs }) => text.replaceAll(`$(${name})`, `$(${keptAs})`),
      valueOnHost(value),
    );
    if (changed !== value) editor.set(item, 'value', changed);
  }
}
