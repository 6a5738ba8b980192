// What is written for a build once its lane has decided on it.
import type { Allocation } from '../allocation/allocate.ts';
import { refuseWaiting } from '../lease/refusal.ts';
import { claimHost, claimLaunch, claimLocal } from '../lease/write-lease.ts';
import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { LaunchTokens } from '../taskruns/launch-token.ts';

export function actionsFor(
  taskRun: UserTaskRun,
  allocation: Exclude<Allocation, { outcome: 'wait' }>,
  tokens: LaunchTokens,
  now: Instant,
): readonly Action[] {
  if (allocation.outcome === 'reject') return refuseWaiting(taskRun, allocation.told);
  if (allocation.outcome === 'launch')
    return [
      { type: 'patch-user-task-run', target: taskRun, change: claimLaunch(taskRun, allocation.pool, tokens, now) },
    ];
  const assigned = allocation.outcome === 'assign' ? allocation.host : undefined;
  const change = assigned ? claimHost(taskRun, assigned, now) : claimLocal(taskRun, allocation.request.platform, now);
  const message = assigned ? `host ${assigned.name} (${assigned.address})` : 'runs in the cluster itself';
  return [
    { type: 'patch-user-task-run', target: taskRun, change },
    // The log says which host it is.
    {
      type: 'emit-event',
      about: { ...taskRun, facts: change.facts ?? undefined },
      severity: 'Normal',
      reason: 'HostAssigned',
      message,
    },
  ];
}
