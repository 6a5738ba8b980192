// Text files of the command line: read, written, compared, with errors that people can use. What the texts mean is decided elsewhere.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What the caller of the command did wrong. */
export class UsageError extends Error {}

/** 0 reads standard input. */
export function readText(file: string | 0): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file === 0 ? 'standard input' : file}: ${reasonOf(error)}`);
  }
}

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
