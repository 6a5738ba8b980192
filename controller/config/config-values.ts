// Single values of host-config: lists, patterns, durations. Each returns the value or a problem with its key.
import { minute, second, hour, type Duration } from '../model/instant.ts';
import { parsePlatform, platformFormatMessage, type Platform } from '../model/platform.ts';
import type { ConfigProblem } from './host-config.ts';

/** Collects problems while a config is read. */
export type Problems = ConfigProblem[];

/** `a, b, c,` → entries, trimmed. One trailing comma is allowed; an empty entry elsewhere is a problem. */
export function parseList(key: string, text: string | undefined, problems: Problems): string[] {
  const entries = (text ?? '').split(',').map((entry) => entry.trim());
  if (entries.at(-1) === '') entries.pop();
  if (entries.includes('')) problems.push(error(key, 'has an empty entry in the middle: remove the extra comma'));
  return entries.filter((entry) => entry !== '');
}

/** A list of platforms; a malformed entry is a problem and is left out. */
export function parsePlatforms(key: string, text: string | undefined, problems: Problems): Platform[] {
  return parseList(key, text, problems).flatMap((entry) => {
    const platform = entry.length <= 63 ? parsePlatform(entry) : undefined;
    if (platform === undefined)
      problems.push({ ...error(key, `'${entry}' is not valid: ${platformFormatMessage}`), platform: entry });
    return platform === undefined ? [] : [platform];
  });
}

/** A comma list of unanchored patterns. An unreadable pattern matches nothing, so it can only close, never open. */
export function parsePatterns(key: string, text: string | undefined, problems: Problems): RegExp[] {
  return parseList(key, text, problems).flatMap((entry) => {
    try {
      // Not in Unicode mode, which refuses what other dialects allow, as `\-`.
      return [new RegExp(entry)];
    } catch {
      problems.push(error(key, `'${entry}' is not a regular expression`));
      return [/(?!)/];
    }
  });
}

const units: Readonly<Record<string, Duration>> = { '': second, s: second, m: minute, h: hour };

/** `90`, `90s`, `30m`, `2h` → Duration. */
export function parseDuration(key: string, text: string | undefined, problems: Problems): Duration | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const match = /^([1-9][0-9]{0,7})([smh]?)$/.exec(text.trim());
  if (match === null) {
    problems.push(error(key, `'${text}' is not a duration: give seconds, or a number with s, m or h, as 30m`));
    return undefined;
  }
  return Number(match[1]) * (units[match[2] ?? ''] ?? second);
}

function error(key: string, message: string): ConfigProblem {
  return { key, message, severity: 'error' };
}
