// The static hosts of host-config: keys `host.<name>.<field>`, put together by name and checked one by one.
import type { Host } from '../model/host.ts';
import { parsePlatform } from '../model/platform.ts';
import { quoted, type Problems } from './config-values.ts';
import type { Entry } from './entry-schema.ts';
import type { KnownGood } from './host-config.ts';
import { parseHostEntry } from './host-entry.ts';

export interface ParsedHosts {
  readonly hosts: readonly Host[];
  /** By host name, also of hosts that are not in order: whose builds suffer from that. */
  readonly platforms: ReadonlyMap<string, string>;
}

/** A host whose platform cannot be read counts as a broken host of the platform it had before. */
export function parseHosts(
  data: Readonly<Record<string, string>>,
  known: KnownGood['platforms'],
  problems: Problems,
): ParsedHosts {
  const platforms = new Map<string, string>();
  const hosts: Host[] = [];
  for (const [name, entry] of entriesByName(data)) {
    const named = parsePlatform(entry.get('platform') ?? '') ?? known.get(name);
    if (named !== undefined) platforms.set(name, named);
    const host = parseHost(name, Object.fromEntries(entry), named, problems);
    if (host !== undefined) hosts.push(host);
  }
  return { hosts, platforms };
}

function entriesByName(data: Readonly<Record<string, string>>): Map<string, Map<string, string>> {
  const entries = new Map<string, Map<string, string>>();
  for (const [key, value] of Object.entries(data)) {
    // A host name may hold dots: the field is what follows the last one.
    const match = /^host\.(.+)\.([^.]+)$/.exec(key);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const entry = entries.get(match[1]);
    if (entry === undefined) entries.set(match[1], new Map([[match[2], value.trim()]]));
    else entry.set(match[2], value.trim());
  }
  return entries;
}

function parseHost(name: string, entry: Entry, platform: string | undefined, problems: Problems): Host | undefined {
  const missed = platform === undefined ? {} : { platform };
  // A label value: the name goes to `…/assigned-host`.
  if (!/^[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/.test(name)) {
    const message = 'is not a valid name: give at most 63 letters, digits, - _ .';
    problems.push({ key: `host.${name}`, message, severity: 'error', ...missed });
    return undefined;
  }
  const parsed = parseHostEntry(name, entry);
  problems.push(
    ...parsed.problems.map((problem) => (problem.severity === 'error' ? { ...problem, ...missed } : problem)),
  );
  return parsed.host;
}

/** `host.x` without a field, or `host..x`: nothing anybody can have meant. */
export function strayHostKey(key: string): string | undefined {
  if (!key.startsWith('host.') || /^host\.(.+)\.([^.]+)$/.test(key)) return undefined;
  return `is no key of a host: give host.<name>.<field>, not ${quoted(key)}`;
}
