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

/** The environment has a value for each of the two steps; the script is one for both. */
export function unsentFindings(
  { step, index }: StepChoice,
  sync: SyncPlan,
  topology: Topology,
  options: Pick<GenerateOptions, 'deferPush'>,
): Finding[] {
  const script = step.script ?? '';
  if (!asksForUnsent(script, sync) || isOnlyOnHost(topology, options)) return [];
  const [asked = ''] = (script.match(/\$\(workspaces[^)]*\.bound\)/g) ?? []).filter((it) => asksForUnsent(it, sync));
  return [
    {
      code: 'MPT119',
      at: ['spec', 'steps', index, 'script'],
      message: `The script asks for ${asked}, which is "true" when a TaskRun binds the workspace, and nothing of it is on the host.`,
      fix: 'Put it into env and use the variable: on the host that is "false". --local off, without builds in the cluster, does the same to the script.',
      scriptOffset: script.indexOf(asked),
    },
  ];
}
