// Single values of host-config: lists, patterns, durations, choices. Each returns the value or a problem with its key.
import { minute, second, hour, type Duration } from '../model/instant.ts';
import { parsePlatform, platformFormatMessage, type Platform } from '../model/platform.ts';
import type { NamespacePattern } from '../model/pool.ts';
import type { ConfigProblem } from './host-config.ts';
import { compilePattern } from './namespace-pattern.ts';

/** Collects problems while a config is read. */
export type Problems = ConfigProblem[];

/** More in one list is a mistake, and would cost memory for nothing. */
const maxEntries = 1000;

/** `a, b, c,` → entries, trimmed. One trailing comma is allowed; an empty entry elsewhere is a problem. */
export function parseList(key: string, text: string | undefined, problems: Problems): string[] {
  const entries = (text ?? '').split(',', maxEntries + 2).map((entry) => entry.trim());
  if (entries.at(-1) === '') entries.pop();
  if (entries.includes('')) problems.push(error(key, 'has an empty entry in the middle: remove the extra comma'));
  if (entries.length > maxEntries)
    problems.push(error(key, `has more than ${maxEntries} entries: the first ${maxEntries} count`));
  return entries.slice(0, maxEntries).filter((entry) => entry !== '');
}

/** A list of platforms; a malformed entry is a problem and is left out. */
export function parsePlatforms(key: string, text: string | undefined, problems: Problems): Platform[] {
  return parseList(key, text, problems).flatMap((entry) => {
    const platform = entry.length <= 63 ? parsePlatform(entry) : undefined;
    if (platform === undefined)
      problems.push({ ...error(key, `${quoted(entry)} is not valid: ${platformFormatMessage}`), platform: entry });
    return platform === undefined ? [] : [platform];
  });
}

/** A comma list of unanchored patterns. An unreadable pattern matches nothing, so it can only close, never open. */
export function parsePatterns(key: string, text: string | undefined, problems: Problems): NamespacePattern[] {
  return parseList(key, text, problems).map((entry) => {
    const pattern = compilePattern(entry);
    if (typeof pattern !== 'string') return pattern;
    problems.push(error(key, `${quoted(entry)} ${pattern}`));
    return { test: () => false };
  });
}

const units: Readonly<Record<string, Duration>> = { '': second, s: second, m: minute, h: hour };

/** `90`, `90s`, `30m`, `2h` → Duration. */
export function parseDuration(key: string, text: string | undefined, problems: Problems): Duration | undefined {
  const value = given(text);
  if (value === undefined) return undefined;
  const match = /^([1-9][0-9]{0,7})([smh]?)$/.exec(value);
  if (match === null) {
    const remedy = 'give seconds, or a number with s, m or h, as 30m';
    problems.push(error(key, `${quoted(value)} is not a duration: ${remedy}`));
    return undefined;
  }
  return Number(match[1]) * (units[match[2] ?? ''] ?? second);
}

/** `true` or `false`. */
export function parseSwitch(key: string, text: string | undefined, problems: Problems): boolean | undefined {
  const choice = parseChoice(key, text, ['true', 'false'], problems);
  return choice === undefined ? undefined : choice === 'true';
}

/** A whole number, 1 or more. */
export function parseCount(key: string, text: string | undefined, problems: Problems): number | undefined {
  const value = given(text);
  if (value === undefined) return undefined;
  if (/^[1-9][0-9]{0,5}$/.test(value)) return Number(value);
  problems.push(error(key, `${quoted(value)} is not valid: give a number, 1 or more`));
  return undefined;
}

/** One of these words. */
export function parseChoice<Choice extends string>(
  key: string,
  text: string | undefined,
  choices: readonly Choice[],
  problems: Problems,
): Choice | undefined {
  const value = given(text);
  if (value === undefined) return undefined;
  const choice = choices.find((it) => it === value);
  if (choice === undefined) problems.push(error(key, `${quoted(value)} is not valid: give ${choices.join(' or ')}`));
  return choice;
}

/** As it is told: values may be a megabyte long, and hold anything. */
export function quoted(value: string): string {
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return `'${shown.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD')}'`;
}

/** Trimmed; undefined when nothing is left, which is as good as no key. */
function given(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}

function error(key: string, message: string): ConfigProblem {
  return { key, message, severity: 'error' };
}
