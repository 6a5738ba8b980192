// Looking for a pattern in the text of a step and saying where it stands. Which patterns, and what they mean, is decided by others.

import type { Finding, FindingCode, Path } from './findings.ts';

export interface TextCheck {
  readonly code: FindingCode;
  readonly pattern: RegExp;
  readonly says: (found: string) => string;
  readonly fix: string;
}

/** What is in quotes is none; where quotes reach over lines nothing is taken for one. */
const lineWithComment = /^((?:[^"'\\#\n]|\\.|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<!\s)#)*(?<=\s))(#[^\n]*)$/gm;

/** Same length and same offsets, so that a match can be shown where it stands. */
export function withoutComments(script: string): string {
  const blank = (text: string) => ' '.repeat(text.length);
  return script
    .replace(/^[ \t]*#[^\n]*$/gm, blank)
    .replace(lineWithComment, (_line, code: string, comment: string) => code + blank(comment))
    .replaceAll('\\\n', blank);
}

/** Scripts that a script carries along in base64, as some catalogs do; what cannot be text is left out. */
export function carriedScripts(script: string): string {
  return [...script.matchAll(/[A-Za-z0-9+/]{64,}={0,2}/g)]
    .map(([encoded]) => Buffer.from(encoded, 'base64').toString('utf8'))
    .filter((text) => /^[\t\n\x20-\x7e\u00a0-\u{10ffff}]*$/u.test(text) && !text.includes('\ufffd'))
    .join('\n');
}

/** One finding for all matches: at the first, naming up to three. */
export function firstMatch(
  check: TextCheck,
  searched: string,
  at: Path,
  isMeant: (found: string) => boolean = () => true,
): Finding[] {
  const matches = [...searched.matchAll(check.pattern)]
    .map((match) => ({ offset: match.index, text: match[0].trim().replace(/\s+/g, ' ') }))
    .filter(({ text }) => isMeant(text));
  const [first] = matches;
  if (first === undefined) return [];
  const texts = [...new Set(matches.map(({ text }) => (text.length > 70 ? `${text.slice(0, 70)}…` : text)))];
  const finding = { code: check.code, at, message: check.says(texts.slice(0, 3).join('", "')), fix: check.fix };
  return [at.at(-1) === 'script' ? { ...finding, scriptOffset: first.offset } : finding];
}
