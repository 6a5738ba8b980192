// --append-platform: when a TaskRun says so, every step sees IMAGE with the platform at the end of its tag, as the original generator's Tasks do.
// It works on environment variables that hold the parameter and nothing else; a step that uses the parameter otherwise is a finding.

import type { YAMLMap } from 'yaml';
import type { Finding, Path } from './findings.ts';
import { imageReference, imageText } from './image-reference.ts';
import type { GenerateOptions } from './options.ts';
import { list } from './task-model.ts';
import type { Step, Task } from './task-model.ts';
import type { YamlEditor } from './yaml-editor.ts';
import type { YamlValue } from './yaml-text.ts';

const parameter = 'IMAGE_APPEND_PLATFORM';

export const appendVariables = [
  { name: 'MP_APPEND_PLATFORM', value: `$(params.${parameter})` },
  { name: 'MP_PLATFORM', value: '$(params.PLATFORM)' },
];

type Asked = Pick<GenerateOptions, 'appendPlatform' | 'imageParameter'>;

export function appendParameters({ appendPlatform }: Asked): YamlValue[] {
  const description = '"true" ends the tag of the image in the platform, such as -linux-arm64.';
  return appendPlatform ? [{ name: parameter, type: 'string', description, default: 'false' }] : [];
}

/** Variables of the step that hold the image's name. */
export function imageVariables(step: Step, { imageParameter }: Pick<Asked, 'imageParameter'>): string[] {
  return step.env
    .filter(({ value }) => value !== undefined && imageReference(imageParameter, '^', '$').test(value))
    .map(({ name }) => name);
}

/** The steps whose scripts begin with the prologue. */
export function stepsToPrefix(task: Task, options: Asked): number[] {
  if (!options.appendPlatform) return [];
  return task.steps.flatMap((step, index) =>
    step.script !== undefined && isShell(step.script) && imageVariables(step, options).length > 0 ? [index] : [],
  );
}

export function prefixedScript(step: Step, script: string, options: Asked): string {
  const names = imageVariables(step, options);
  if (!options.appendPlatform || names.length === 0 || !isShell(script)) return script;
  const [shebang = ''] = /^#![^\n]*\n/.exec(script) ?? [];
  return shebang + prologue(names) + script.slice(shebang.length);
}

export function prefixStep(editor: YamlEditor, map: YAMLMap, step: Step, options: Asked): void {
  editor.insertInScript(map, 'script', prologue(imageVariables(step, options)));
  editor.append(map, 'env', appendVariables);
}

function prologue(names: readonly string[]): string {
  const each = names.map(
    (name) =>
      `  case \${${name}##*/} in *:*) ${name}=$${name}-$mp_suffix ;; *) ${name}=$${name}:$mp_suffix ;; esac\n  export ${name}\n`,
  );
  return `if [ "$MP_APPEND_PLATFORM" = true ]; then\n  mp_suffix=$(printf %s "$MP_PLATFORM" | tr -c 'A-Za-z0-9' -)\n${each.join('')}fi\n`;
}

export function appendFindings(task: Task, options: Asked): Finding[] {
  if (!options.appendPlatform) return [];
  const taken = task.parameters.findIndex(({ name }) => name.toUpperCase() === parameter);
  const note: Finding = {
    code: 'MPT121',
    at: ['spec', 'params'],
    message: `With ${parameter} "true" the platform ends the tag of ${options.imageParameter}; without a tag it becomes the tag.`,
    fix: 'Give the image a tag of less than 100 characters, and no digest.',
  };
  if (taken >= 0) {
    const at = ['spec', 'params', taken];
    return [{ code: 'MPT008', at, message: `Parameter "${parameter}" exists already.`, fix: 'Rename it.' }];
  }
  return [note, ...task.steps.flatMap((step, index) => stepFindings(step, index, options))];
}

function stepFindings(step: Step, index: number, options: Asked): Finding[] {
  const label = `Step "${step.name ?? index}"`;
  const names = imageVariables(step, options);
  const found = (key: string, message: string): Finding => {
    const at: Path = ['spec', 'steps', index, key];
    const fix = `Put the parameter into env, as IMAGE, and use the variable in a shell script.`;
    return { code: 'MPT120', at, message: `${label} ${message}; it would see the tag without the platform.`, fix };
  };
  const anywhere = imageReference(options.imageParameter);
  const places: (readonly [string, string])[] = [
    ['script', step.script ?? ''],
    ['args', list(step.own['args'], String).join('\n')],
    ['command', list(step.own['command'], String).join('\n')],
    [
      'env',
      step.env
        .filter(({ name }) => !names.includes(name))
        .map(({ value }) => value ?? '')
        .join('\n'),
    ],
  ];
  const findings = places
    .filter(([, text]) => anywhere.test(text))
    .map(([key]) => found(key, `uses ${imageText(options.imageParameter)} in its ${key}`));
  const used = names.find((name) => new RegExp(`\\b${name}\\b`).test(step.script ?? ''));
  if (used !== undefined && !isShell(step.script ?? ''))
    findings.push(found('script', `uses ${used} in a script that is no shell script`));
  return findings;
}

/** Without a shebang it is one for /bin/sh. */
function isShell(script: string): boolean {
  return !script.startsWith('#!') || /^#!\s*\S*(?:\/|env\s+(?:-S\s+)?)(?:ba|da|k|mk|z|a)?sh\b/.test(script);
}
