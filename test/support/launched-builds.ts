// Builds that get a host of their own, and the TaskRuns that launch it, for tests.
import { claimLaunch, giveUpLaunch, nextAttempt, noteLaunched } from '../../controller/lease/write-lease.ts';
import type { HostFacts } from '../../controller/model/host-lease.ts';
import type { Instant } from '../../controller/model/instant.ts';
import type { LaunchedPool } from '../../controller/model/pool.ts';
import type { UserTaskRun } from '../../controller/model/task-run.ts';
import { launchTaskRun } from '../../controller/taskruns/launch-task-run-manifest.ts';
import { launchTokens } from '../../controller/taskruns/launch-token.ts';
import { claimOf, factsOf, installation, OwnTaskRunBuilder, testKey, type TaskRunBuilder } from './builders.ts';
import { start } from './host-builders.ts';

export const tokens = launchTokens(testKey);

/** A host is to be launched for it; each call is one more attempt. */
export function launching(build: TaskRunBuilder, pool: LaunchedPool, since: Instant = start): TaskRunBuilder {
  return build.changed((taskRun) => claimLaunch(taskRun, pool, tokens, since));
}

/** What its launch TaskRun told is in its facts. */
export function launchedAs(build: TaskRunBuilder, host: Partial<HostFacts>): TaskRunBuilder {
  return build.changed((taskRun) => {
    const { facts, claim } = claimOf(taskRun);
    return noteLaunched(facts, { ...claim, ...host });
  });
}

/** That host came to nothing: it waits for another. `counts`: not for want of capacity. */
export function gaveUpLaunch(build: TaskRunBuilder, counts = true): TaskRunBuilder {
  return build.changed((taskRun) => giveUpLaunch(taskRun, factsOf(taskRun), counts));
}

/** Its launch TaskRun was deleted. */
export function lostLaunch(build: TaskRunBuilder): TaskRunBuilder {
  return build.changed((taskRun) => nextAttempt(factsOf(taskRun)));
}

export function aLaunchFor(build: UserTaskRun, pool: LaunchedPool): OwnTaskRunBuilder {
  const { facts, claim } = claimOf(build);
  return new OwnTaskRunBuilder(launchTaskRun(build, facts, claim, pool, installation));
}
