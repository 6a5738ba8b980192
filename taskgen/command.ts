// The taskgen command: reads files, writes the result, prints findings, gives the exit code.
// Every decision is made elsewhere; this file is all the input and output there is.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builderImage } from './builder-image.ts';
import type { ImageFacts } from './builder-image.ts';
import { parseCommandLine } from './command-line.ts';
import type { Answer, Invocation } from './command-line.ts';
import { explainPlan } from './explanation.ts';
import { formatFinding } from './findings.ts';
import type { LocatedFinding, Severity } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import { generateRemoteTask } from './remote-task.ts';
import { remoteBuildText } from './remote-build-text.ts';
import type { Scripts } from './step-scripts.ts';
import { parseTaskMap } from './task-map.ts';
import { isCurrent, mustDiffer, readSourceText, readText, UsageError, writeText } from './text-files.ts';

type ExitCode = 0 | 1 | 2 | 3;

export async function runCommand(words: readonly string[]): Promise<ExitCode> {
  try {
    if (words[0] === 'pipeline') return await runPipeline(words.slice(1));
    const invocation = parseCommandLine(words);
    if ('exitCode' in invocation) return say(invocation);
    for (const remark of invocation.remarks) process.stderr.write(`${remark}\n`);
    const scripts = readScripts();
    if (invocation.maps.length === 0) return await run(invocation, scripts);
    const codes: ExitCode[] = [];
    for (const each of invocation.maps.flatMap((map) => invocationsOf(map, words)))
      codes.push(await run(each, scripts));
    return codes.reduce((worst, code) => (code > worst ? code : worst), 0);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n`);
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `error: taskgen failed (${message}). This is a mistake in taskgen; please report it with the Task.\n`,
    );
    return 3;
  }
}

async function runPipeline(words: readonly string[]): Promise<ExitCode> {
  const { runPipelineCommand } = await import('./pipeline-command.ts');
  return runPipelineCommand(words);
}

function say({ stdout, stderr, exitCode }: Answer): ExitCode {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return exitCode;
}

function readScripts(): Scripts {
  const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  return {
    remote: remoteBuildText(beside('remote-build')),
    remoteAsRoot: remoteBuildText(beside('remote-build'), { asRoot: true }),
    local: readText(beside('build-local.sh')),
    deferPush: readText(beside('defer-push.sh')),
    sameStep: readText(beside('same-step.sh')),
  };
}

/** One for each Task of the map: the words of the call without the maps, and those of its entry. Paths are those of the map. */
function invocationsOf(map: string, words: readonly string[]): Invocation[] {
  const [, source, output] = /^([^=]+)=(.+)$/.exec(map) ?? [];
  const entries = source !== undefined && output !== undefined ? [{ source, output, flags: [] }] : readMap(map);
  const common = words.filter(
    (word, index) => !word.startsWith('--in-place-map') && words[index - 1] !== '--in-place-map',
  );
  return entries.map((entry) => {
    const invocation = parseCommandLine([...common, ...entry.flags, '-o', entry.output, entry.source]);
    if ('exitCode' in invocation) throw new UsageError(`${map}, ${entry.source}: ${invocation.stderr.trim()}`);
    return invocation;
  });
}

function readMap(file: string): { source: string; output: string; flags: readonly string[] }[] {
  const text = readText(file);
  const beside = (path: string) => join(dirname(file), path);
  try {
    return parseTaskMap(text).map(({ source, output, flags }) => ({
      source: beside(source),
      output: beside(output),
      flags,
    }));
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function run(invocation: Invocation, scripts: Scripts): Promise<ExitCode> {
  const { sources, output, explain, afterLoad } = invocation;
  if (output !== undefined) sources.forEach((source) => mustDiffer(source, output));
  const options = { ...invocation.options, afterLoad: afterLoad === undefined ? undefined : readText(afterLoad) };
  const results: (string | undefined)[] = [];
  for (const source of sources) results.push(await generate(source, scripts, { ...invocation, options }));
  const texts = results.filter((text) => text !== undefined);
  if (texts.length < results.length) return 3;
  if (output === undefined) {
    process.stdout.write(explain ? texts.join('\n') : joinDocuments(texts));
    return 0;
  }
  const [text = ''] = texts;
  if (invocation.check) return (await isCurrent(output, text)) ? 0 : 1;
  writeText(output, text);
  return 0;
}

async function generate(source: string, scripts: Scripts, invocation: Invocation): Promise<string | undefined> {
  const { options, checkImages, json, explain } = invocation;
  const raw = readSourceText(source === '-' ? 0 : source);
  const generated = (known: GenerateOptions) =>
    generateRemoteTask(raw, source === '-' ? 'stdin' : source, scripts, known);
  const first = generated(options);
  const { text, plan, findings } =
    checkImages && first.plan !== undefined
      ? generated({ ...options, imageFacts: await lookUp(builderImage(first.plan.task, first.plan.choice)) })
      : first;
  process.stderr.write(findings.map((it) => (json ? `${JSON.stringify(it)}\n` : formatFinding(it))).join(''));
  if (text === undefined && !json) process.stderr.write(summaryOf(findings));
  return explain && plan !== undefined ? explainPlan(plan) : text;
}

/** A long list ends with what came of it. */
function summaryOf(findings: readonly LocatedFinding[]): string {
  const count = (severity: Severity) => {
    const number = findings.filter((it) => it.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}${number === 1 ? '' : 's'}`];
  };
  return `taskgen: no Task was made: ${[...count('error'), ...count('warning'), ...count('note')].join(', ')}\n`;
}

/** Loaded only when asked for, as the diff is. */
async function lookUp(image: string): Promise<ImageFacts> {
  const { imagePlatforms } = await import('./image-platforms.ts');
  return imagePlatforms(image);
}

function joinDocuments(texts: readonly string[]): string {
  return texts.map((text, index) => (index === 0 ? text : `---\n${text}`)).join('');
}
