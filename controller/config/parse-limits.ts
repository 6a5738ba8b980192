// Limits and rules of one platform: `<platform with dashes>.<key>`, or the same key without a platform for all of them.
import { dashedPlatform, type Platform } from '../model/platform.ts';
import { noLimits, type NamespacePattern, type PoolLimits } from '../model/pool.ts';
import { parseChoice, parseCount, parseDuration, parsePatterns, parseSwitch, type Problems } from './config-values.ts';

export const limitKeys = [
  'allowed-namespaces',
  'max-wait',
  'priority',
  'fair-share',
  'max-per-namespace',
  'release-slot-after',
] as const;
type LimitKey = (typeof limitKeys)[number];

type Data = Readonly<Record<string, string>>;
type Parse<Value> = (key: string, text: string | undefined, problems: Problems) => Value;

/** A platform's own value wins over the general one; for allowed-namespaces both hold. An unreadable one counts as absent. */
export function limitsReader(data: Data, problems: Problems): (platform: Platform) => PoolLimits {
  // The general keys are the same for all.
  const patterns = new Map<string, readonly NamespacePattern[]>();
  const patternsOf = (key: string): readonly NamespacePattern[] => {
    const parsed = patterns.get(key) ?? parsePatterns(key, data[key], problems);
    patterns.set(key, parsed);
    return parsed;
  };
  return (platform) => {
    const ownKey = (key: LimitKey): string => `${dashedPlatform(platform)}.${key}`;
    const read = <Value>(key: LimitKey, parse: Parse<Value | undefined>): Value | undefined => {
      const own = parse(ownKey(key), data[ownKey(key)], problems);
      const general = parse(key, data[key], problems);
      return own ?? general;
    };
    const namespaceKeys = ['allowed-namespaces', ownKey('allowed-namespaces')].filter((key) => data[key]?.trim());
    return {
      allowedNamespaces: namespaceKeys.map(patternsOf),
      maxWait: read('max-wait', parseDuration),
      priority: read('priority', parseSwitch) ?? noLimits.priority,
      fairShare: read('fair-share', parseSwitch) ?? noLimits.fairShare,
      maxPerNamespace: read('max-per-namespace', parseCount),
      releaseSlotAfter: read('release-slot-after', parseReleaseSlotAfter) ?? noLimits.releaseSlotAfter,
    };
  };
}

function parseReleaseSlotAfter(
  key: string,
  text: string | undefined,
  problems: Problems,
): PoolLimits['releaseSlotAfter'] | undefined {
  return parseChoice(key, text, ['build', 'cleanup'], problems);
}
