// The taskgen command: reads files, writes the result, prints findings, gives the exit code.
// Every decision is made elsewhere; this file is all the input and output there is.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from './command-line.ts';
import type { Invocation } from './command-line.ts';
import { explainPlan } from './explanation.ts';
import { formatFinding } from './findings.ts';
import type { LocatedFinding } from './findings.ts';
import { generateRemoteTask } from './remote-task.ts';
import type { Scripts } from './remote-task.ts';
import { remoteBuildText } from './remote-build-text.ts';

type ExitCode = 0 | 1 | 2 | 3;

class UsageError extends Error {}

export async function runCommand(words: readonly string[]): Promise<ExitCode> {
  try {
    return await run(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return 2;
  }
}

async function run(words: readonly string[]): Promise<ExitCode> {
  const invocation = parseCommandLine(words);
  if ('exitCode' in invocation) {
    process.stdout.write(invocation.stdout);
    process.stderr.write(invocation.stderr);
    return invocation.exitCode;
  }
  for (const remark of invocation.remarks) process.stderr.write(`${remark}\n`);
  const scripts = {
    remote: remoteBuildText(fileURLToPath(new URL('remote-build', import.meta.url))),
    local: readFileSync(new URL('build-local.sh', import.meta.url), 'utf8'),
  };
  const results = invocation.sources.map((source) => generate(source, scripts, invocation));
  const texts = results.filter((text) => text !== undefined);
  if (texts.length < results.length) return 3;
  if (invocation.output === undefined) {
    process.stdout.write(invocation.explain ? texts.join('\n') : joinDocuments(texts));
    return 0;
  }
  const [text = ''] = texts;
  if (invocation.check) return check(invocation.output, text);
  write(invocation.output, text);
  return 0;
}

function generate(source: string, scripts: Scripts, { options, json, explain }: Invocation): string | undefined {
  const isStandardInput = source === '-';
  const raw = readText(isStandardInput ? 0 : source, isStandardInput ? 'standard input' : source);
  const { text, plan, findings } = generateRemoteTask(raw, isStandardInput ? 'stdin' : source, scripts, options);
  for (const finding of findings) process.stderr.write(print(finding, json));
  return explain && plan !== undefined ? explainPlan(plan) : text;
}

function print(finding: LocatedFinding, json: boolean): string {
  return json ? `${JSON.stringify(finding)}\n` : formatFinding(finding);
}

function joinDocuments(texts: readonly string[]): string {
  return texts.map((text, index) => (index === 0 ? text : `---\n${text}`)).join('');
}

/** Loaded only here: who generates a Task does not wait for the diff library. */
async function check(file: string, wanted: string): Promise<ExitCode> {
  const existing = readText(file, file);
  if (existing === wanted) return 0;
  const { createTwoFilesPatch } = await import('diff');
  process.stdout.write(createTwoFilesPatch(file, `${file} (generated)`, existing, wanted));
  process.stderr.write(`${file} is out of date\n`);
  return 1;
}

function readText(file: string | 0, label: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${label}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
