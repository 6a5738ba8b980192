// The step's own timeout, which kills the remote step like any other: when the build on the host has to end, so that what it wrote comes back.

import { secondsOf } from './durations.ts';
import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import { text } from './task-model.ts';
import type { Step } from './task-model.ts';

/** Seconds; undefined where there is no limit, which Tekton also writes as 0. */
export function timeoutOf(step: Step): number | undefined {
  const timeout = secondsOf(text(step.own['timeout']) ?? '');
  return timeout === undefined || timeout <= 0 ? undefined : timeout;
}

export function timeoutVariables(step: Step, options: Pick<GenerateOptions, 'timeoutMargin'>): Record<string, string> {
  const timeout = timeoutOf(step);
  if (timeout === undefined) return {};
  const margin = options.timeoutMargin ?? Math.min(60, Math.floor(timeout / 2));
  return { MP_TIMEOUT: String(Math.max(1, Math.floor(timeout - margin))) };
}

/** Tekton refuses the whole Task for it. */
export function timeoutFindings({ step, index, name }: StepChoice): Finding[] {
  const given = step.own['timeout'];
  if (given === undefined || given === null) return [];
  if (typeof given === 'string' && (secondsOf(given) ?? -1) >= 0) return [];
  const message = `The timeout ${JSON.stringify(given)} of step "${name}" is no duration: Tekton takes no such Task.`;
  const fix = 'Write it as Tekton reads it: 90s, 30m, 1h30m, 1.5h; 0s for no limit.';
  return [{ code: 'MPT026', at: ['spec', 'steps', index, 'timeout'], message, fix }];
}
