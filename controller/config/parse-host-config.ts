// host-config → pools. One bad entry breaks only what it describes; every problem is reported with its key.
import { dashedPlatform, type Platform } from '../model/platform.ts';
import type { Pool } from '../model/pool.ts';
import type { ProviderTasks } from '../model/provider.ts';
import { parseList, parsePlatforms, quoted, type Problems } from './config-values.ts';
import { nothingKnown, type ConfigProblem, type HostConfig, type KnownGood } from './host-config.ts';
import { unknownKey } from './host-entry.ts';
import { careKeys, parseCare } from './parse-care.ts';
import { parseHosts, strayHostKey } from './parse-hosts.ts';
import { parseLaunched, warnOfStrayLaunched, type LaunchedLists } from './parse-launched.ts';
import { limitKeys, limitsReader } from './parse-limits.ts';

type Data = Readonly<Record<string, string>>;

const globalKeys: ReadonlySet<string> = new Set([
  'local-platforms',
  'dynamic-platforms',
  'dynamic-pool-platforms',
  'instance-tag',
  'additional-instance-tags',
  'cordoned-hosts',
  ...limitKeys,
  ...careKeys,
]);
const platformKeys: ReadonlySet<string> = new Set(limitKeys);
/** Nobody reads on; what is beyond is counted. */
const maxProblems = 500;

/**
 * Reads `data` of the ConfigMap. Never throws: what cannot be used is in `problems` and `broken`. `known` is what the one
 * before came to: a list with a mistake in it keeps the entries it had, which it may not have meant to lose. `tasks` are
 * those that launch hosts; undefined: they could not be read so far.
 */
export function parseHostConfig(data: Data, known: KnownGood = nothingKnown, tasks?: ProviderTasks): HostConfig {
  const problems: Problems = [];
  const { hosts, platforms } = parseHosts(data, known.platforms, problems);
  const platformsOf = (key: string, before: readonly Platform[]): readonly Platform[] =>
    withKnown(() => parsePlatforms(key, data[key], problems), before, problems);
  const readCordoned = (): string[] => parseList('cordoned-hosts', data['cordoned-hosts'], problems);
  const lists: LaunchedLists = {
    local: platformsOf('local-platforms', known.local),
    dynamic: platformsOf('dynamic-platforms', known.dynamic),
    dynamicPool: platformsOf('dynamic-pool-platforms', known.dynamicPool),
  };
  const cordoned = withKnown(readCordoned, known.cordoned, problems);

  const limitsOf = limitsReader(data, problems);
  const pools = new Map<Platform, Pool>();
  for (const [platform, members] of groupBy(hosts, (host) => host.platform)) {
    pools.set(platform, {
      kind: 'static',
      platform,
      hosts: members,
      cordoned: new Set(cordoned),
      limits: limitsOf(platform),
    });
  }
  const instanceTag = data['instance-tag']?.trim() ?? '';
  const additionalTags = parseTags(data, problems);
  const launched = parseLaunched(data, lists, limitsOf, { tasks, instanceTag, additionalTags }, problems);
  // The order of resolution is local, launched, static. A launched platform with a mistake in it is nobody else's.
  const listed = [...lists.dynamic, ...lists.dynamicPool];
  for (const platform of listed) pools.delete(platform);
  for (const pool of launched) pools.set(pool.platform, pool);
  for (const platform of lists.local) pools.set(platform, { kind: 'local', platform, limits: limitsOf(platform) });

  const care = parseCare(data, problems);
  warnOfUnknownKeys(data, [...pools.keys(), ...listed], problems);
  warnOfStrayLaunched(data, lists, problems);
  return {
    pools,
    broken: brokenPlatforms(problems, pools),
    problems: bounded(problems),
    instanceTag,
    care,
    known: { ...lists, cordoned, platforms },
  };
}

/** The entries of a list; if there is a mistake in it, those it had before as well. */
function withKnown<Entry>(
  parse: () => readonly Entry[],
  known: readonly Entry[],
  problems: Problems,
): readonly Entry[] {
  const before = problems.length;
  const entries = parse();
  return problems.length === before ? entries : [...new Set([...entries, ...known])];
}

/** Key `additional-instance-tags`, as `k=v,k=v`: on every instance that is launched. */
function parseTags(data: Data, problems: Problems): string {
  const key = 'additional-instance-tags';
  const tags = new Map<string, string>();
  for (const entry of parseList(key, data[key], problems)) {
    const [name = '', value] = entry.split('=');
    if (name.trim() !== '' && value !== undefined) tags.set(name.trim(), value.trim());
    else
      problems.push({
        key,
        message: `${quoted(entry)} is no tag and is ignored: give name=value`,
        severity: 'warning',
      });
  }
  return [...tags].map(([name, value]) => `${name}=${value}`).join(',');
}

function warnOfUnknownKeys(data: Data, platforms: readonly Platform[], problems: Problems): void {
  const dashed = new Set(platforms.map(dashedPlatform));
  for (const key of Object.keys(data)) {
    const dot = key.lastIndexOf('.');
    const known =
      globalKeys.has(key) ||
      /^(host|dynamic)\./.test(key) ||
      (platformKeys.has(key.slice(dot + 1)) && dashed.has(key.slice(0, dot)));
    if (!known) problems.push(unknownKey(key));
    const stray = strayHostKey(key);
    if (stray !== undefined) problems.push({ key, message: stray, severity: 'warning' });
  }
}

/** Each problem once: a general key is read for every platform. */
function bounded(problems: Problems): ConfigProblem[] {
  const once = [...new Map(problems.map((it) => [`${it.key} ${it.message}`, it])).values()];
  if (once.length <= maxProblems) return once;
  const message = `has ${once.length - maxProblems} more problems, which are not listed`;
  return [...once.slice(0, maxProblems), { key: 'host-config', message, severity: 'error' }];
}

function brokenPlatforms(problems: Problems, pools: ReadonlyMap<string, Pool>): Map<string, readonly ConfigProblem[]> {
  const errors = problems.filter((problem) => problem.severity === 'error' && problem.platform !== undefined);
  const byPlatform = groupBy(errors, (problem) => problem.platform ?? '');
  return new Map([...byPlatform].filter(([platform]) => !pools.has(platform)));
}

// Map.groupBy is younger than the oldest Node this runs on.
function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
