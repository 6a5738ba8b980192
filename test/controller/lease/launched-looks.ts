// A build that gets a host of its own, at each step of its life, and one look at it.
import { nextActions } from '../../../controller/lease/next-actions.ts';
import type { Observed } from '../../../controller/lease/observed.ts';
import { readPhase } from '../../../controller/lease/read-lease.ts';
import type { LaunchedPool } from '../../../controller/model/pool.ts';
import { aTaskRun, type OwnTaskRunBuilder, type TaskRunBuilder } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { aLaunchFor, launchedAs, launching } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';

interface Around {
  readonly children?: readonly OwnTaskRunBuilder[];
  readonly pool?: LaunchedPool | undefined;
  readonly reported?: boolean;
  readonly seen?: Observed['seen'];
  /** A process that knows nothing of what was before. */
  readonly anew?: boolean;
  readonly now?: number;
}

export function look(builder: TaskRunBuilder | undefined, around: Around = {}) {
  const { children = [], reported = false, anew = false, now = start } = around;
  const pool = 'pool' in around ? around.pool : aPool();
  const own = children.map((it) => it.build());
  const observed = observe(builder?.build(), own, {
    reported: new Set(reported ? own.map(({ uid }) => uid) : []),
    launchedPool: () => pool,
    ...(anew ? { seen: undefined } : {}),
    ...('seen' in around ? { seen: around.seen } : {}),
  });
  const plan = nextActions(observed, now);
  return { phase: readPhase(observed, now), does: sentencesOf(plan.actions), lookAgainAt: plan.lookAgainAt };
}

export const claimed = (pool = aPool()): TaskRunBuilder => launching(aTaskRun().forPlatform('linux/arm64'), pool);
export const launch = (build = claimed(), pool = aPool()): OwnTaskRunBuilder => aLaunchFor(build.build(), pool);
export const told = { INSTANCE_ID: 'i-1', ADDRESS: '10.1.1.1', USER: 'toy' };
export const isThere = { address: '10.1.1.1', user: 'toy' };
export const launched = (): TaskRunBuilder => launchedAs(claimed(), isThere);
export const failed = (results: Readonly<Record<string, string>>, build = claimed()): OwnTaskRunBuilder =>
  launch(build).ended('failed', start, results);

export function hostOf(builder: TaskRunBuilder): string {
  return builder.build().facts?.claim?.host ?? 'no host';
}
