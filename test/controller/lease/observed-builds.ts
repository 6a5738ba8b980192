// What a look sees, for tests of decisions: nothing special unless the test says so.
import type { Observed } from '../../../controller/lease/observed.ts';
import type { OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { installation } from '../../support/builders.ts';

type Around = Partial<Omit<Observed, 'taskRun' | 'children'>>;

export function observe(
  taskRun: UserTaskRun | undefined,
  children: readonly OwnTaskRun[] = [],
  around: Around = {},
): Observed {
  const { uid = 'uid-of-build', namespace = 'team-a', name = 'build' } = taskRun ?? {};
  return {
    build: { uid, namespace, name },
    taskRun,
    children,
    podTold: true,
    reported: new Set<string>(),
    // The claim was written a moment ago, and this process looked on.
    seen: taskRun?.facts === undefined ? undefined : { attempt: taskRun.facts.attempt, step: 'claim' },
    labelled: { to: 'nothing' },
    isConfigured: () => true,
    launchedPool: () => undefined,
    installation,
    ...around,
  };
}
