// host-config → pools. One bad entry breaks only what it describes; every problem is reported with its key.
import type { Host } from '../model/host.ts';
import { dashedPlatform, type Platform } from '../model/platform.ts';
import { noLimits, type Pool, type PoolLimits } from '../model/pool.ts';
import { parseDuration, parseList, parsePatterns, parsePlatforms, type Problems } from './config-values.ts';
import type { ConfigProblem, HostConfig } from './host-config.ts';
import { careKeys, parseCare } from './parse-care.ts';
import { parseHostEntry, unknownKey, type HostEntry } from './host-entry.ts';

type Data = Readonly<Record<string, string>>;

const globalKeys = new Set([
  'local-platforms',
  'dynamic-platforms',
  'dynamic-pool-platforms',
  'instance-tag',
  'additional-instance-tags',
  'allowed-namespaces',
  'cordoned-hosts',
  'max-wait',
  ...careKeys,
]);
const platformKeys = new Set(['allowed-namespaces', 'max-wait']);

/** Reads `data` of the ConfigMap. Never throws: what cannot be used is in `problems` and `broken`. */
export function parseHostConfig(data: Data): HostConfig {
  const problems: Problems = [];
  const hosts = parseHosts(data, problems);
  const local = parsePlatforms('local-platforms', data['local-platforms'], problems);
  refuseDynamic(data, problems);

  const limitsOf = (platform: Platform): PoolLimits => parseLimits(data, platform, problems);
  const pools = new Map<Platform, Pool>();
  const cordoned = new Set(parseList('cordoned-hosts', data['cordoned-hosts'], problems));
  for (const [platform, members] of groupBy(hosts, (host) => host.platform)) {
    pools.set(platform, {
      kind: 'static',
      platform,
      hosts: members,
      cordoned,
      limits: limitsOf(platform),
    });
  }
  // Later entries win here: the order of resolution is local before static.
  for (const platform of local) pools.set(platform, { kind: 'local', platform, limits: limitsOf(platform) });

  const care = parseCare(data, problems);
  warnOfUnknownKeys(data, pools, problems);
  // A global key is read once for each platform.
  const once = [...new Map(problems.map((it) => [`${it.key} ${it.message}`, it])).values()];
  return {
    pools,
    broken: brokenPlatforms(once, pools),
    problems: once,
    instanceTag: data['instance-tag']?.trim() ?? '',
    care,
  };
}

function parseHosts(data: Data, problems: Problems): Host[] {
  const entries = new Map<string, Record<string, string>>();
  for (const [key, value] of Object.entries(data)) {
    // A host name may hold dots: the field is what follows the last one.
    const match = /^host\.(.+)\.([^.]+)$/.exec(key);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const entry = entries.get(match[1]) ?? {};
    entry[match[2]] = value.trim();
    entries.set(match[1], entry);
  }
  return [...entries].flatMap(([name, entry]) => keepHost(name, entry, problems));
}

function keepHost(name: string, entry: HostEntry, problems: Problems): Host[] {
  // A label value: the name goes to `…/assigned-host`.
  if (!/^[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/.test(name)) {
    problems.push({
      key: `host.${name}`,
      message: 'is not a valid name: give at most 63 letters, digits, - _ .',
      severity: 'error',
    });
    return [];
  }
  const parsed = parseHostEntry(name, entry);
  problems.push(...parsed.problems);
  return parsed.host === undefined ? [] : [parsed.host];
}

function parseLimits(data: Data, platform: Platform, problems: Problems): PoolLimits {
  const dashed = dashedPlatform(platform);
  const namespaceKeys = ['allowed-namespaces', `${dashed}.allowed-namespaces`].filter((key) => data[key]?.trim());
  const waitKey = data[`${dashed}.max-wait`] === undefined ? 'max-wait' : `${dashed}.max-wait`;
  return {
    ...noLimits,
    allowedNamespaces: namespaceKeys.map((key) => parsePatterns(key, data[key], problems)),
    maxWait: parseDuration(waitKey, data[waitKey], problems),
  };
}

function refuseDynamic(data: Data, problems: Problems): void {
  for (const key of ['dynamic-platforms', 'dynamic-pool-platforms']) {
    for (const platform of parsePlatforms(key, data[key], problems)) {
      problems.push({
        key,
        message: `'${platform}': launched hosts are not supported by this version`,
        severity: 'error',
        platform,
      });
    }
  }
}

function warnOfUnknownKeys(data: Data, pools: ReadonlyMap<Platform, Pool>, problems: Problems): void {
  const dashed = new Set([...pools.keys()].map(dashedPlatform));
  for (const key of Object.keys(data)) {
    const dot = key.lastIndexOf('.');
    const known =
      globalKeys.has(key) ||
      /^(host|dynamic)\./.test(key) ||
      (platformKeys.has(key.slice(dot + 1)) && dashed.has(key.slice(0, dot)));
    if (!known) problems.push(unknownKey(key));
  }
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
