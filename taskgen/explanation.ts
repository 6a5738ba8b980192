// What the generator decided, for people: which step goes to a host, what goes with it and what comes back. Text only.

import { resultImage } from './remote-step.ts';
import type { RemotePlan } from './remote-step.ts';
import { podmanArguments } from './podman-arguments.ts';
import type { PlannedMount } from './sync-plan.ts';
import { remoteName } from './task-name.ts';

const travels: Readonly<Record<PlannedMount['sync'], string>> = {
  in: 'sent',
  out: 'brought back',
  both: 'sent and brought back',
  empty: 'empty on the host',
  storage: 'a volume of the host',
};

export function explainPlan(plan: RemotePlan): string {
  const { task, choice, options, sync, environment } = plan;
  const mounts = sync.mounts.map((mount) => `${mount.name} (${mount.path}): ${describeMount(mount)}`);
  const podman = [...podmanArguments(choice.step.securityContext), ...options.podmanArguments];
  const image = resultImage(task, options);
  const sections: [string, readonly string[]][] = [
    ['workspaces and volumes', [...mounts, 'Task results: sent and brought back']],
    ['environment', environment.forwardRest ? [...environment.names, 'and what envFrom brings'] : environment.names],
    ['arguments for podman on the host', podman],
    ['image that comes back', image === '' ? [] : [image]],
  ];
  const stay = task.steps.filter((_, index) => index !== choice.index).map(({ name }, index) => name ?? String(index));
  const title = `Task ${remoteName(task.name ?? '', options)}: step "${choice.name}" runs on the host, in ${choice.step.image ?? ''}\n`;
  const lists = sections.map(
    ([label, lines]) =>
      `  ${label}:\n${(lines.length === 0 ? ['none'] : lines).map((line) => `    ${line}\n`).join('')}`,
  );
  return `${title}${lists.join('')}  steps that stay in the cluster:\n    ${[...stay, `${choice.name}-local (added)`].join(', ')}\n`;
}

function describeMount({ sync, mode, kind, bound }: PlannedMount): string {
  const parts = [
    travels[sync],
    ...(mode === 'ro' ? ['read-only there'] : []),
    ...(kind === 'file' ? ['one file'] : []),
    ...(bound === 'true' ? [] : ['if it is bound']),
  ];
  return parts.join(', ');
}
