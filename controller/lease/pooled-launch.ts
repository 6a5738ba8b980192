// TaskRuns that launch and terminate a host of several builds. The one that launched it is the record of the host: it carries
// all that the host is terminated from, and a finalizer until that is taken over.
import type { Action, TaskRunManifest } from '../model/action.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { labels, ownTaskRunFinalizer } from '../model/labels.ts';
import { dashedPlatform } from '../model/platform.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { launchTaskRun } from '../taskruns/launch-task-run-manifest.ts';
import type { BuildIdentity } from '../taskruns/own-task-run-manifest.ts';
import { terminateTaskRun } from '../taskruns/terminate-task-run-manifest.ts';
import { remove } from './build-actions.ts';
import { hostToLaunch, launchedHost } from './host-facts.ts';

/** `token` names the host; the same one again is the same TaskRun. */
export function pooledLaunch(
  pool: LaunchedPool,
  token: string,
  now: Instant,
  operatorNamespace: string,
): TaskRunManifest {
  const claim = { ...hostToLaunch(pool, token), since: now };
  const facts: LeaseFacts = { attempt: 1, platform: pool.platform, claim };
  const installation = { operatorNamespace, instanceTag: pool.instanceTag };
  const manifest = launchTaskRun(identityOf(pool.platform, token, operatorNamespace), facts, claim, pool, installation);
  const { metadata } = manifest;
  const ofBuilds: readonly string[] = [labels.userTaskUid, labels.userTaskName, labels.userTaskNamespace];
  const own = Object.entries(metadata.labels).filter(([name]) => !ofBuilds.includes(name));
  return { ...manifest, metadata: { ...metadata, labels: Object.fromEntries(own), finalizers: [ownTaskRunFinalizer] } };
}

/** The TaskRun that terminates it takes everything over, as if a build had been on it that is gone. */
export function terminatePooled(launch: OwnTaskRun, operatorNamespace: string): Action[] {
  const { facts, host, outcome, cancelled } = launch;
  const claim = facts?.claim;
  if (facts === undefined || claim?.launch === undefined) return remove(launch);
  const known = launchedHost(claim, launch);
  const { launch: details = claim.launch } = known;
  const identity = identityOf(facts.platform, host, operatorNamespace);
  const installation = { operatorNamespace, instanceTag: details.instanceTag };
  const lease = { ...facts, claim: known };
  const manifest = terminateTaskRun(identity, lease, { ...known, launch: details }, 1, installation);
  const create: Action = { type: 'create-task-run', manifest };
  // One that failed by itself stays a while: its log says why, and when to try again.
  if (outcome !== 'failed' || cancelled || launch.deleting) return [create, ...remove(launch)];
  const drop: Action[] = launch.hasFinalizer ? [{ type: 'drop-own-finalizer', target: launch }] : [];
  // Marked last: what is marked is not looked at again for as long as its log is kept.
  return [create, ...drop, { type: 'mark-cleaned', target: launch }];
}

/** There is no build: the host stands for itself. */
function identityOf(platform: string, token: string, operatorNamespace: string): BuildIdentity {
  return { uid: token, namespace: operatorNamespace, name: dashedPlatform(platform) };
}
