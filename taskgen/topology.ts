// Which of the generated steps connects to the host, and which one builds in the cluster or takes in the image: one of its own, the same one, or none.
// Names and limits of the steps follow from this; their texts are in step-scripts.ts.

import { resultImage } from './image-plan.ts';
import type { ImageOptions } from './image-plan.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import type { Task } from './task-model.ts';

export interface Topology {
  /** The step that connects does so from the image it had, with the rights and resources it had. */
  readonly keepsImage: boolean;
  /** It does what else would be the local step's work, too. */
  readonly isOneStep: boolean;
  /** Another step follows it. */
  readonly hasLocalStep: boolean;
  /** A build for the cluster's own platform is refused. */
  readonly refusesLocal: boolean;
}

type Asked = Pick<GenerateOptions, 'runnerImage' | 'local'> & ImageOptions;

export function topologyOf(task: Task, choice: StepChoice, options: Asked): Topology {
  const keepsImage = options.runnerImage === 'same';
  const local = options.local ?? (keepsImage ? 'same-step' : 'extra-step');
  // Without builds of its own the cluster still has to take in the image.
  const hasLocalWork = local !== 'off' || resultImage(task, choice, options) !== '';
  const isOneStep = keepsImage && local !== 'extra-step' && hasLocalWork;
  return { keepsImage, isOneStep, hasLocalStep: hasLocalWork && !isOneStep, refusesLocal: local === 'off' };
}
