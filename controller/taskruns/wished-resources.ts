// What a build asks for its host, and how much of that it gets: never more than the platform's limits in host-config, and
// nothing where there are none.
import type { LaunchedPool } from '../model/pool.ts';
import { parseQuantity } from '../model/quantity.ts';

/** Params of a build → params of a launch Task, and the config key that bounds them. */
const wishes: Readonly<Record<string, readonly [param: string, bound: string]>> = {
  REQUEST_CPU: ['CPU_REQUEST', 'cpu-limit'],
  REQUEST_MEMORY: ['MEMORY_REQUEST', 'memory-limit'],
  LIMIT_CPU: ['CPU_LIMIT', 'cpu-limit'],
  LIMIT_MEMORY: ['MEMORY_LIMIT', 'memory-limit'],
};

/** Params of builds that may be wishes. */
export const wishNames: ReadonlySet<string> = new Set(Object.keys(wishes));

/** `wished`: by name of the build's param. */
export function wishedResources(
  wished: Readonly<Record<string, string>>,
  { settings, provider }: LaunchedPool,
): Record<string, string> {
  const declared = new Set(provider.launch.params.map(({ name }) => name));
  const granted = Object.entries(wishes).flatMap(([name, [param, bound]]): [string, string][] => {
    const value = wished[name] ?? '';
    const most = settings[bound] ?? '';
    const [amount, limit] = [parseQuantity(value), parseQuantity(most)];
    if (amount === undefined || limit === undefined || !declared.has(param)) return [];
    return [[param, amount > limit ? most : value]];
  });
  return Object.fromEntries(granted);
}
