// --check-images: what a registry says of the image that the step runs in. An image for one platform runs on hosts of that platform only.
// It judges; asking the registry is image-platforms.ts.

import type { Finding } from './findings.ts';
import type { StepChoice } from './step-choice.ts';
import type { Task } from './task-model.ts';

/** Platforms such as `linux/arm64`, or why they are not known. */
export type ImageFacts = { readonly platforms: readonly string[] } | { readonly problem: string };

/** With the defaults of parameters in place; references without one stay. */
export function builderImage(task: Task, { step }: Pick<StepChoice, 'step'>): string {
  return (step.image ?? '').replace(
    /\$\(params(?:\.([\w-]+)|\[["']([^"']+)["']\])\)/g,
    (reference, dotted?: string, quoted?: string) => {
      const parameter = task.parameters.find(({ name }) => name === (dotted ?? quoted));
      return typeof parameter?.default === 'string' ? parameter.default : reference;
    },
  );
}

export function builderFindings(task: Task, choice: StepChoice, facts: ImageFacts | undefined): Finding[] {
  if (facts === undefined) return [];
  const image = builderImage(task, choice);
  const at = ['spec', 'steps', choice.index, 'image'];
  if ('problem' in facts) {
    const fix = 'Look whether the registry can be reached without credentials, or leave out --check-images.';
    return [{ code: 'MPT035', at, message: `Image "${image}" could not be looked up: ${facts.problem}.`, fix }];
  }
  const [only, ...others] = facts.platforms;
  if (only === undefined || others.length > 0) return [];
  const message = `Image "${image}" is for ${only} only; a build for any other PLATFORM stops with "exec format error" or before.`;
  const fix = image.includes('@')
    ? 'Take the digest of the index (docker buildx imagetools inspect IMAGE shows it), not that of one of its images.'
    : 'Use an image that is published for every platform you build on.';
  return [{ code: 'MPT030', at, message, fix }];
}
