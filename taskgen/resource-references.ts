// What the step is told of its own resources: the step that connects has others, so the numbers of the source are written in their place where
// they are known, and a finding says where they are not.

import { isMap, isSeq } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { Finding, Path } from './findings.ts';
import type { StepChoice } from './step-choice.ts';
import { fields, list, text } from './task-model.ts';
import type { Fields, Task } from './task-model.ts';
import { amountOf, mergedResources } from './wrapper-resources.ts';
import { pairOf } from './yaml-places.ts';
import type { YamlEditor } from './yaml-editor.ts';

interface ResourceVariable {
  readonly name: string;
  readonly reference: Fields;
  /** As in the pod of the source; undefined where that depends on the cluster. */
  readonly value: string | undefined;
  readonly isInherited: boolean;
}

function referenceOf(item: Fields): Fields | undefined {
  const reference = fields(item['valueFrom'])['resourceFieldRef'];
  return reference === undefined ? undefined : fields(reference);
}

/** Kubernetes asks for no more than a limit says, where nothing is asked for; both round up. */
function valueOf(task: Task, choice: StepChoice, { resource, divisor, containerName }: Fields): string | undefined {
  const { limits, requests } = mergedResources(task, choice.step);
  const [, which, name = ''] = /^(limits|requests)\.(cpu|memory|ephemeral-storage)$/.exec(text(resource) ?? '') ?? [];
  if (which === undefined || (containerName !== undefined && containerName !== `step-${choice.name}`)) return undefined;
  const given = text(which === 'limits' ? limits[name] : (requests[name] ?? limits[name]));
  const unit = text(divisor) ?? '1';
  const amount = amountOf(given ?? '') / amountOf(unit === '0' ? '1' : unit);
  // The nearest number to 0.1 / 0.001 is a little more than 100.
  const whole = Number.isInteger(amount) ? amount : Math.ceil(Number(amount.toPrecision(12)));
  return Number.isFinite(amount) && amount > 0 ? String(whole) : undefined;
}

function resourceVariables(task: Task, choice: StepChoice): ResourceVariable[] {
  const own = list(choice.step.own['env']);
  const names = new Set(own.map((item) => item['name']));
  const inherited = list(task.stepTemplate['env']).filter((item) => !names.has(item['name']));
  return [...own, ...inherited].flatMap((item): ResourceVariable[] => {
    const reference = referenceOf(item);
    if (reference === undefined) return [];
    const name = text(item['name']) ?? '';
    return [{ name, reference, value: valueOf(task, choice, reference), isInherited: inherited.includes(item) }];
  });
}

/** `onlyNamed`: the local step has the resources of the source, and not the name of its container. */
export function resolveResources(
  editor: YamlEditor,
  map: YAMLMap,
  { task, choice }: { readonly task: Task; readonly choice: StepChoice },
  onlyNamed = false,
): void {
  const known = resourceVariables(task, choice).filter(({ value, isInherited }) => value !== undefined && !isInherited);
  const env = pairOf(map, 'env')?.value;
  for (const item of isSeq(env) ? env.items : []) {
    if (!isMap(item)) continue;
    const found = known.find(({ name }) => name === item.get('name'));
    if (found?.value === undefined || (onlyNamed && found.reference['containerName'] === undefined)) continue;
    editor.replacePair(item, 'valueFrom', 'value', found.value);
  }
}

/** A step that asks for nothing keeps asking for nothing, so it is told the same. */
export function resourceFindings(task: Task, choice: StepChoice): Finding[] {
  const { limits, requests } = mergedResources(task, choice.step);
  if (Object.keys({ ...limits, ...requests }).length === 0) return [];
  const at: Path = ['spec', 'steps', choice.index];
  const variables = resourceVariables(task, choice)
    .filter(({ reference }) => isOfStep(reference, choice))
    .filter(({ value, isInherited }) => value === undefined || isInherited)
    .map(({ name, reference }) => `Variable "${name}" is ${text(reference['resource']) ?? 'a resource'}`);
  const files = task.volumes
    .filter(({ name }) => choice.step.mounts.some((mount) => mount.name === name))
    .flatMap(({ name, source }) =>
      [source, ...list(source['sources']).map((it) => fields(it['downwardAPI']))]
        .flatMap((it) => list(it['items']))
        .filter((it) => it['resourceFieldRef'] !== undefined && isOfStep(fields(it['resourceFieldRef']), choice))
        .map(
          (it) =>
            `File "${text(it['path']) ?? ''}" of volume "${name}" holds ${text(fields(it['resourceFieldRef'])['resource']) ?? 'a resource'}`,
        ),
    );
  return [
    ...[...variables, ...files].map((what) => ({ what, who: 'the build' })),
    ...ofOtherSteps(task, choice).map((what) => ({ what, who: 'it' })),
  ].map(({ what, who }) => ({
    code: 'MPT118',
    at,
    message: `${what} of step "${choice.name}", which is the step that connects to the host: ${who} would see that one's numbers.`,
    fix: 'Write the number itself, in env of the step.',
  }));
}

/** Steps of the cluster that ask for the numbers of the build. */
function ofOtherSteps(task: Task, { index, name }: StepChoice): string[] {
  return task.steps.flatMap((step, other) =>
    list(other === index ? [] : step.own['env'])
      .map((item) => ({ variable: text(item['name']), reference: referenceOf(item) }))
      .filter(({ reference }) => reference?.['containerName'] === `step-${name}`)
      .map(
        ({ variable, reference }) =>
          `Variable "${variable}" of step "${step.name ?? other}" is ${text(reference?.['resource']) ?? 'a resource'}`,
      ),
  );
}

/** Of a variable it need not be said whose resources are meant. */
function isOfStep({ containerName }: Fields, choice: StepChoice): boolean {
  return containerName === undefined || containerName === `step-${choice.name}`;
}
