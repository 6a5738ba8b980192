// What the build is told of workspaces that stay in the cluster: they are not bound, since there is nothing of them on the host.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import type { SyncPlan } from './sync-plan.ts';
import type { Topology } from './topology.ts';

/** Whether a text asks for such a workspace. */
export function asksForUnsent(text: string, sync: SyncPlan): boolean {
  return withoutUnsent(text, sync) !== text;
}

/** Tekton would write "true" in the place of these references. */
export function withoutUnsent(text: string, { leftOut }: SyncPlan): string {
  const unsent = new Set(leftOut.map(({ workspace }) => workspace).filter((name) => name !== undefined));
  return text.replace(
    /\$\(workspaces(?:\.([^.)]+)|\[["']([^"']+)["']\])\.bound\)/g,
    (reference: string, dotted?: string, quoted?: string) => (unsent.has(dotted ?? quoted ?? '') ? 'false' : reference),
  );
}

/** Otherwise the same text also runs in the cluster, where the workspace is. */
export function isOnlyOnHost({ refusesLocal }: Topology, { deferPush }: Pick<GenerateOptions, 'deferPush'>): boolean {
  return refusesLocal && !deferPush;
}

/** The environment and the arguments are those of one step, which does not build in the cluster, too. */
export function isToldHost(topology: Topology, options: Pick<GenerateOptions, 'deferPush'>): boolean {
  return !topology.isOneStep || isOnlyOnHost(topology, options);
}

/** The environment has a value for each of the two steps, where there are two; the script is one for both. */
export function unsentFindings(
  { step, index, wrapped }: StepChoice,
  sync: SyncPlan,
  topology: Topology,
  options: Pick<GenerateOptions, 'deferPush'>,
): Finding[] {
  if (isOnlyOnHost(topology, options)) return [];
  const isTold = isToldHost(topology, options);
  const found = (key: string, label: string, searched: string): Finding[] => {
    const references = searched.match(/\$\(workspaces[^)]*\.bound\)/g) ?? [];
    const asked = references.find((it) => asksForUnsent(it, sync));
    if (asked === undefined) return [];
    const message = `${label} asks for ${asked}, which is "true" when a TaskRun binds the workspace, and nothing of it is on the host.`;
    const apart = `${key === 'script' ? 'Put it into env, use the variable, and say' : 'Say'} --local extra-step`;
    const fix = isTold
      ? 'Put it into env and use the variable: on the host that is "false". --local off, without builds in the cluster, does the same to the script.'
      : `${apart}: what builds in the cluster is a step of its own then, and the one on the host is told "false".`;
    const finding: Finding = { code: 'MPT119', at: ['spec', 'steps', index, key], message, fix };
    return [key === 'script' ? { ...finding, scriptOffset: searched.indexOf(asked) } : finding];
  };
  const values = step.env.map(({ value }) => value);
  return [
    ...found('script', 'The script', step.script ?? ''),
    ...(isTold ? [] : found('env', 'The environment', values.join('\n'))),
    ...(isTold ? [] : found('args', 'An argument', [...wrapped, ...step.args].join('\n'))),
  ];
}
