// Text files of the command line: read, written, compared, with errors that people can use. What the texts mean is decided elsewhere.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What the caller of the command did wrong. */
export class UsageError extends Error {}

/** 0 reads standard input. */
export function readText(file: string | 0): string {
  const text = readSourceText(file);
  if (text.endsWith(notUtf8))
    throw new UsageError(`cannot read ${nameOf(file)}: it is no UTF-8 text; save it as UTF-8`);
  return text;
}

/** Of bytes that are no UTF-8 text only what stands before them, and a NUL, which is what a finding is told by. */
export function readSourceText(file: string | 0): string {
  const bytes = readBytes(file);
  const whole = decoded(bytes);
  if (whole !== undefined) return whole;
  let [valid, invalid] = [0, bytes.length];
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    if (decoded(bytes.subarray(0, middle), true) === undefined) invalid = middle;
    else valid = middle;
  }
  return (decoded(bytes.subarray(0, valid), true) ?? '') + notUtf8;
}

/** `isCut`: the last character may have more bytes. A byte order mark stays, for others to judge. */
function decoded(bytes: Buffer, isCut = false): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}

const notUtf8 = '\0';

function readBytes(file: string | 0): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read ${nameOf(file)}: ${reasonOf(error)}`);
  }
}

const nameOf = (file: string | 0) => (file === 0 ? 'standard input' : file);

export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${reasonOf(error)}`);
  }
}

export function mustDiffer(source: string, output: string): void {
  if (resolve(source) === resolve(output))
    throw new UsageError(`-o ${output} is the source itself, which would be lost; name another file`);
}

/** Prints the difference, if any, as a patch. The library is loaded only here: who generates does not wait for it. */
export async function isCurrent(file: string, wanted: string): Promise<boolean> {
  const existing = readText(file);
  if (existing === wanted) return true;
  const { createTwoFilesPatch } = await import('diff');
  process.stdout.write(createTwoFilesPatch(file, `${file} (generated)`, existing, wanted));
  process.stderr.write(`${file} is out of date\n`);
  return false;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
