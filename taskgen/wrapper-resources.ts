// Computing resources of the remote step, which only runs ssh and rsync. Kubernetes adds up the requests of all steps,
// so what the build asked for moves to the local step and this one asks for little.

import type { GenerateOptions } from './options.ts';
import { fields, text } from './task-model.ts';
import type { Fields, Step, Task } from './task-model.ts';
import type { YamlValue } from './yaml-text.ts';

type Wrapper = Pick<GenerateOptions, 'wrapperCpu' | 'wrapperMemory'>;

/** Nothing where the source asks for nothing. */
export function wrapperResources(
  task: Task,
  step: Step,
  options: Wrapper,
): { key: string; value: YamlValue } | undefined {
  const { key, own, limits, requests } = mergedResources(task, step);
  if (Object.keys({ ...limits, ...requests }).length === 0) return undefined;
  const value = {
    ...keepLimits(fields(own['limits'])),
    requests: {
      cpu: smaller(options.wrapperCpu, requests['cpu'] ?? limits['cpu'], limits['cpu']),
      memory: smaller(options.wrapperMemory, requests['memory'] ?? limits['memory'], limits['memory']),
    },
  };
  return { key, value };
}

/** With what stepTemplate says, in the field that the version has. */
export function mergedResources(
  task: Task,
  step: Step,
): { key: string; own: Fields; limits: Fields; requests: Fields } {
  const key = task.apiVersion === 'tekton.dev/v1beta1' ? 'resources' : 'computeResources';
  const own = fields(step.own[key]);
  const template = fields(task.stepTemplate[key]);
  const merged = (what: string) => ({ ...fields(template[what]), ...fields(own[what]) });
  return { key, own, limits: merged('limits'), requests: merged('requests') };
}

/** A limit without a request would become one, so only those stay for which there is a request. */
function keepLimits(limits: Fields): { limits?: Record<string, string> } {
  const kept = ['cpu', 'memory'].flatMap((name) => {
    const limit = text(limits[name]);
    return limit === undefined ? [] : [[name, limit] as const];
  });
  return kept.length === 0 ? {} : { limits: Object.fromEntries(kept) };
}

function smaller(ours: string, ...others: readonly unknown[]): string {
  return others
    .map(text)
    .filter((other) => other !== undefined)
    .reduce((least, other) => (amountOf(other) < amountOf(least) ? other : least), ours);
}

const suffixes: Readonly<Record<string, number>> = {
  m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}; // prettier-ignore

/** A quantity as a number; anything else counts as endless, so that it is never chosen. */
export function amountOf(quantity: string): number {
  const [, number, suffix = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  if (number === undefined) return Infinity;
  return Number(number) * (suffix === '' ? 1 : (suffixes[suffix] ?? Infinity));
}
