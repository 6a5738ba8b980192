// The launched platforms of host-config: the two lists, and the keys `dynamic.<platform>.<key>` of each entry.
import type { Platform } from '../model/platform.ts';
import type { LaunchedPool, PoolLimits } from '../model/pool.ts';
import type { Problems } from './config-values.ts';
import { quoted } from './config-values.ts';
import type { Entry } from './entry-schema.ts';
import { launchedPrefix, parseLaunchedEntry, type LaunchedSources } from './launched-entry.ts';

type Data = Readonly<Record<string, string>>;

/** As they are resolved: what comes first has the platform. */
export interface LaunchedLists {
  readonly local: readonly Platform[];
  readonly dynamic: readonly Platform[];
  readonly dynamicPool: readonly Platform[];
}

/** A platform with a mistake in it is in `problems`, and in no pool. */
export function parseLaunched(
  data: Data,
  lists: LaunchedLists,
  limitsOf: (platform: Platform) => PoolLimits,
  sources: LaunchedSources,
  problems: Problems,
): LaunchedPool[] {
  const entries = entriesByPrefix(data);
  const pools: LaunchedPool[] = [];
  const owners = new Map(lists.local.map((platform) => [platform, 'local-platforms']));
  const kinds = [
    { kind: 'dynamic', list: 'dynamic-platforms', platforms: lists.dynamic },
    { kind: 'dynamic-pool', list: 'dynamic-pool-platforms', platforms: lists.dynamicPool },
  ] as const;
  for (const { kind, list, platforms } of kinds) {
    for (const platform of new Set(platforms)) {
      const owner = owners.get(platform);
      if (owner !== undefined) {
        const message = `${quoted(platform)} is in ${owner} too, which comes first`;
        problems.push({ key: list, message, severity: 'warning' });
        continue;
      }
      owners.set(platform, list);
      const entry = entries.get(launchedPrefix(platform)) ?? {};
      const parsed = parseLaunchedEntry({ kind, platform, limits: limitsOf(platform) }, entry, sources);
      const isError = (severity: string): boolean => severity === 'error';
      problems.push(...parsed.problems.map((it) => (isError(it.severity) ? { ...it, platform } : it)));
      if (parsed.pool !== undefined) pools.push(parsed.pool);
    }
  }
  return pools;
}

/** `dynamic.…` keys that belong to no platform of the lists: each platform once. */
export function warnOfStrayLaunched(data: Data, { dynamic, dynamicPool }: LaunchedLists, problems: Problems): void {
  const listed = new Set([...dynamic, ...dynamicPool].map(launchedPrefix));
  const stray = new Set<string>();
  for (const key of Object.keys(data).filter((it) => it.startsWith('dynamic.'))) {
    const prefix = launchedKey.exec(key)?.[1];
    if (prefix === undefined) {
      const message = `is no key of a platform: give dynamic.<platform with dashes>.<key>, not ${quoted(key)}`;
      problems.push({ key, message, severity: 'warning' });
    } else if (!listed.has(prefix)) stray.add(prefix);
  }
  const message = 'is in neither dynamic-platforms nor dynamic-pool-platforms, and its keys are ignored';
  for (const key of stray) problems.push({ key, message, severity: 'warning' });
}

/** No dot is in a platform, nor in a key. */
const launchedKey = /^(dynamic\.[^.]+)\.([^.]+)$/;

/** What is empty is as good as not there. */
function entriesByPrefix(data: Data): Map<string, Entry> {
  const entries = new Map<string, Map<string, string>>();
  for (const [key, value] of Object.entries(data)) {
    const match = launchedKey.exec(key);
    const trimmed = value.trim();
    if (match?.[1] === undefined || match[2] === undefined || trimmed === '') continue;
    const entry = entries.get(match[1]) ?? new Map<string, string>();
    entries.set(match[1], entry.set(match[2], trimmed));
  }
  return new Map([...entries].map(([prefix, entry]) => [prefix, Object.fromEntries(entry)]));
}
