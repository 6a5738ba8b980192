// Text of a Task in, text of the remote Task out: the whole generator without a file or a process.
// It lists all findings at once and gives a text only when none of them is an error.

import { createHash } from 'node:crypto';
import { isMap, isSeq } from 'yaml';
import type { YAMLMap } from 'yaml';
import { convertToV1, versionFindings } from './api-version.ts';
import { appendFindings, appendParameters, prefixStep, stepsToPrefix } from './append-platform.ts';
import { builderFindings } from './builder-image.ts';
import { expandAliases } from './alias-expansion.ts';
import { planEnvironment } from './environment-plan.ts';
import { judgeSeverity } from './findings.ts';
import type { FindingCode, LocatedFinding } from './findings.ts';
import { flagFindings } from './flag-checks.ts';
import { clusterStepFindings } from './cluster-step-checks.ts';
import { addLocalStep } from './local-step.ts';
import type { GenerateOptions } from './options.ts';
import { platformParameter } from './parameter-checks.ts';
import { editRemoteStep, sharedMount, podInfoMount } from './remote-step.ts';
import type { RemotePlan } from './remote-step.ts';
import { secretVolumeName } from './reserved-names.ts';
import { pusherOf, registryAuthParameters, registryAuthVolumes } from './registry-auth.ts';
import { groupFindings } from './podman-arguments.ts';
import { resourceFindings } from './resource-references.ts';
import { scriptFindings } from './script-checks.ts';
import { sizeFindings } from './size-check.ts';
import { stepScripts } from './step-scripts.ts';
import type { Scripts } from './step-scripts.ts';
import { chooseTask, offsetInScript, offsetOf, readSource, syntaxProblems } from './source-document.ts';
import type { ChosenTask, Source, SourceProblem } from './source-document.ts';
import { applySplices } from './splice.ts';
import { chooseStep } from './step-choice.ts';
import { planSync } from './sync-plan.ts';
import { remoteAlready, secretPrefix, taskFindings } from './task-checks.ts';
import { generatedFrom, readTask, text as textOf } from './task-model.ts';
import { remoteName } from './task-name.ts';
import { topologyOf } from './topology.ts';
import { unsentFindings } from './unsent-workspaces.ts';
import { listIndentOf } from './yaml-places.ts';
import { userFindings } from './wrapper-security.ts';
import { YamlEditor } from './yaml-editor.ts';
import type { YamlValue } from './yaml-text.ts';

/** What the generated Task says of its source. */
interface Origin {
  readonly file: string;
  readonly digest: string;
}

export interface Generated {
  /** What was decided, where there are no errors. */
  readonly plan?: RemotePlan;
  readonly text: string | undefined;
  readonly findings: readonly LocatedFinding[];
}

export function generateRemoteTask(raw: string, file: string, scripts: Scripts, options: GenerateOptions): Generated {
  const given = readSource(raw);
  const problems = syntaxProblems(given);
  if (problems.length > 0) return failure(given, file, problems);
  const found = chooseTask(given, options.select);
  if ('code' in found) return failure(given, file, [found]);
  const source = options.apiVersion === undefined ? given : readSource(convertToV1(given.text, found));
  const chosen = source === given ? found : chooseTask(source, options.select);
  if ('code' in chosen) return failure(source, file, [chosen]);
  const planned = plan(chosen, scripts, options);
  const findings = planned.findings
    .filter((finding, index, all) => all.findIndex(({ message }) => message === finding.message) === index)
    .map((finding) => locate(source, file, finding, options, chosen))
    .sort((a, b) => a.line - b.line || a.column - b.column || a.code.localeCompare(b.code));
  if (planned.plan === undefined || findings.some(({ severity }) => severity === 'error')) {
    return { text: undefined, findings };
  }
  const origin = { file, digest: createHash('sha256').update(given.text).digest('hex') };
  return { text: write(source, chosen, origin, planned.plan, scripts), plan: planned.plan, findings };
}

function plan(
  chosen: ChosenTask,
  scripts: Scripts,
  options: GenerateOptions,
): { plan?: RemotePlan; findings: SourceProblem[] } {
  const task = readTask(chosen.content);
  const already = remoteAlready(task);
  if (already.length > 0) return { findings: already };
  const choice = chooseStep(task, options);
  if ('code' in choice) return { findings: [choice] };
  const topology = topologyOf(task, choice, options);
  const sync = planSync(task, choice.index, options);
  const environment = planEnvironment(choice.step, choice.index, options);
  const findings = [
    ...taskFindings(task, choice, topology, options),
    ...scriptFindings(task, choice, options, pusherOf(task, choice, options)),
    ...clusterStepFindings(task, choice, options),
    ...sync.findings,
    ...environment.findings,
    ...sizeFindings(task, choice, stepScripts(scripts, choice, topology, sync, options), chosen.content),
    ...(topology.keepsImage ? [] : userFindings(choice, sync.mounts, options)),
    ...(topology.keepsImage ? [] : resourceFindings(task, choice)),
    ...groupFindings(choice),
    ...unsentFindings(choice, sync, topology, options),
    ...builderFindings(task, choice, options.imageFacts),
    ...flagFindings(task, choice, options),
    ...appendFindings(task, options),
    ...(options.apiVersion === undefined ? [] : versionFindings(chosen.content)),
  ];
  const relevant = findings.filter(({ code }) => !followsFromOthers(code, findings));
  const secretVolume = secretVolumeName(task, choice.step, choice.index, options).name;
  return { plan: { task, choice, options, topology, sync, environment, secretVolume }, findings: relevant };
}

/** Who pushes from the same step has no use for the image in a later one; of a step that is not here nothing is known. */
function followsFromOthers(code: FindingCode, all: readonly SourceProblem[]): boolean {
  const has = (...codes: FindingCode[]) => all.some((other) => codes.includes(other.code));
  return (code === 'MPT032' && has('MPT203')) || (/^MPT0(?:24|32)$/.test(code) && has('MPT002', 'MPT003'));
}

function write(source: Source, chosen: ChosenTask, origin: Origin, planned: RemotePlan, scripts: Scripts): string {
  const steps = ['spec', 'steps'];
  const stepPath = [...steps, planned.choice.index];
  const prefixed = stepsToPrefix(planned.task, planned.options).filter((index) => index !== planned.choice.index);
  const edited = [
    ['metadata', 'name'],
    ['metadata', 'annotations'],
    ['spec', 'params'],
    ['spec', 'volumes'],
    steps,
    ...prefixed.flatMap((index) => ['script', 'env'].map((key) => [...steps, index, key])),
  ];
  const { section } = chosen;
  const { text, document } = expandAliases(section.text, chosen, { edited, copied: stepPath });
  const [metadata, spec, list, step] = [['metadata'], ['spec'], steps, stepPath].map((path) =>
    document.getIn(path, true),
  );
  if (!isMap(metadata) || !isMap(spec) || !isSeq(list) || !isMap(step))
    throw new Error('the Task changed while expanding');
  const listIndent = listIndentOf(text, spec, 'steps');
  const editor = new YamlEditor(text, listIndent);
  editMetadata(editor, metadata, origin, planned);
  const { remote, local } = stepScripts(scripts, planned.choice, planned.topology, planned.sync, planned.options);
  editRemoteStep(editor, step, planned, remote);
  if (local !== undefined) addLocalStep(editor, text, list, step, { ...planned, listIndent }, local);
  for (const index of prefixed) {
    const [map, other] = [list.get(index), planned.task.steps[index]];
    if (isMap(map) && other !== undefined) prefixStep(editor, map, other, planned.options);
  }
  editor.append(spec, 'params', newParameters(planned));
  editor.append(spec, 'volumes', newVolumes(planned));
  const before = source.text.slice(0, section.start);
  const after = source.text.slice(section.start + section.text.length);
  return header(source, origin.file) + before + applySplices(text, editor.splices) + after;
}

function editMetadata(editor: YamlEditor, metadata: YAMLMap, { digest }: Origin, { task, options }: RemotePlan): void {
  const name = task.name ?? '';
  const annotations = {
    [generatedFrom]: `${name}@sha256:${digest}`,
    'build.appstudio.redhat.com/generator-format': '1',
  };
  editor.set(metadata, 'name', remoteName(name, options));
  const existing = metadata.get('annotations', true);
  if (!isMap(existing) || existing.items.length === 0) return editor.set(metadata, 'annotations', annotations);
  for (const [key, value] of Object.entries(annotations)) editor.set(existing, key, value);
}

function newParameters({ task, options }: RemotePlan): YamlValue[] {
  const others = [...appendParameters(options), ...registryAuthParameters(options)];
  if (task.parameters.some(({ name }) => name === platformParameter)) return others;
  const description =
    'Platform to build on, such as linux/arm64; the controller gives the build a host of that platform.';
  const parameter = { name: platformParameter, type: 'string', description };
  const platform =
    options.platformDefault === undefined ? parameter : { ...parameter, default: options.platformDefault };
  return [platform, ...others];
}

function newVolumes({ options, secretVolume }: RemotePlan): YamlValue[] {
  const secretName = `${secretPrefix}$(context.taskRun.name)`;
  const annotations = { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } };
  return [
    { name: secretVolume, secret: { secretName, optional: options.secretOptional } },
    { name: podInfoMount.name, downwardAPI: { items: [annotations] } },
    { name: sharedMount.name, emptyDir: {} },
    ...registryAuthVolumes(options),
  ];
}

/** A comment would end a JSON file's life as JSON; there the annotation alone says where the Task comes from. */
function header(source: Source, file: string): string {
  try {
    JSON.parse(source.text);
    return '';
  } catch {
    return `# Code generated by taskgen from ${file
      .split('/')
      .at(-1)
      ?.replace(/[^ -~\u00a0-\uffff]/g, '?')}; DO NOT EDIT.\n`;
  }
}

function failure(source: Source, file: string, problems: readonly SourceProblem[]): Generated {
  const judgement = { strict: false, accepted: new Set<string>() };
  return { text: undefined, findings: problems.map((problem) => locate(source, file, problem, judgement)) };
}

function locate(
  source: Source,
  file: string,
  problem: SourceProblem,
  judgement: Pick<GenerateOptions, 'strict' | 'accepted'>,
  chosen?: ChosenTask,
): LocatedFinding {
  const { code, message, fix } = problem;
  const offset = problem.offset ?? (chosen === undefined ? 0 : offsetOfFinding(source, chosen, problem));
  const { line, col: column } = source.lines.linePos(offset);
  return {
    code,
    severity: judgeSeverity(code, judgement),
    message,
    fix,
    file,
    line: Math.max(line, 1),
    column: Math.max(column, 1),
  };
}

function offsetOfFinding(source: Source, chosen: ChosenTask, { at, scriptOffset }: SourceProblem): number {
  const offset = offsetOf(chosen, at);
  const script = textOf(chosen.document.getIn(at));
  return scriptOffset === undefined || script === undefined
    ? offset
    : offsetInScript(source, offset, script, scriptOffset);
}
