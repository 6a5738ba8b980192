// What must happen to TaskRuns of ours that work for one build, whether that build is still there or not.
import type { Action } from '../model/action.ts';
import type { Duration, Instant } from '../model/instant.ts';
import { secretNameFor } from '../model/labels.ts';
import type { HostFacts } from '../model/host-lease.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { undoTaskRun } from '../taskruns/undo-task-run.ts';
import { cleanUp, event, remove } from './build-actions.ts';
import { hostText } from './host-facts.ts';
import { undosOf, isUndo, leaseOf, worksFor, type Observed } from './observed.ts';
import { noPlan, planOf, type Plan } from './plan.ts';
import { neverEntered } from './provision-reasons.ts';
import { cleanupBackoff, cleanupPatience, triedFor, type KeepTimes } from './timeouts.ts';

export function nextChildActions(observed: Observed, now: Instant, keep: KeepTimes): Plan {
  // What cleaned a host goes last: it remembers for the others that it did.
  const inOrder = [...observed.children].sort((a, b) => rankOf(a) - rankOf(b));
  const plans = inOrder.map((child) => {
    if (isUndo(child)) return nextOfUndo(observed, child, now, keep);
    const prepares = child.type === 'provision' || child.type === 'launch';
    return prepares ? nextOfPreparation(observed, child, now, keep) : noPlan;
  });
  const plan = planOf([], ...plans);
  const going = new Set(plan.actions.flatMap((it) => (it.type === 'delete-task-run' ? [it.target.uid] : [])));
  return { ...plan, actions: plan.actions.filter((it) => it.type !== 'mark-cleaned' || !going.has(it.target.uid)) };
}

function rankOf(child: OwnTaskRun): number {
  return isUndo(child) && child.outcome === 'succeeded' ? 1 : 0;
}

/** Provision and launch TaskRuns of earlier attempts, and of builds that ended or are gone. */
function nextOfPreparation(observed: Observed, child: OwnTaskRun, now: Instant, keep: KeepTimes): Plan {
  // A launch TaskRun stays: should the facts get lost, it tells which host there is.
  const delivered =
    child.type === 'provision' && observed.taskRun?.facts?.ready === true && child.outcome === 'succeeded';
  if (isInUse(observed, child) && !delivered) return noPlan;
  // Its end is awaited. Tekton ends none that is being deleted.
  if (child.outcome === 'running' && !child.deleting)
    return planOf(child.cancelled ? [] : [{ type: 'cancel-task-run', target: child }]);
  const actions = cleanUpBehind(observed, child);
  if (child.deleting) return planOf(actions);
  return isKeptForLog(child)
    ? planOf(actions, keepFor(child, now, keep.failed))
    : planOf([...actions, { type: 'delete-task-run', target: child }]);
}

/** Only when its build vanished without a release, as when somebody took our finalizer away. */
function cleanUpBehind(observed: Observed, { facts, results }: OwnTaskRun): Action[] {
  const needless =
    observed.taskRun !== undefined || (facts?.claim?.launch === undefined && neverEntered.has(results['REASON'] ?? ''));
  return needless || facts?.claim === undefined ? [] : cleanUp(observed, { facts, claim: facts.claim });
}

/** Its attempt, on its host, is the one its build stands on. */
function isInUse({ taskRun }: Observed, child: OwnTaskRun): boolean {
  return taskRun?.facts !== undefined && worksFor(child, taskRun.facts);
}

/** Tried again, with growing pauses, until one succeeded. A failed one is kept for its log, its successor made. */
function nextOfUndo(observed: Observed, child: OwnTaskRun, now: Instant, keep: KeepTimes): Plan {
  const all = undosOf(observed, leaseOf(child));
  const failed = all.filter(({ outcome }) => outcome === 'failed');
  if (child.cleaned) return retire(child, now, keep.failed);
  // Nobody else would try again what an older controller gave up.
  if (all.length === 0 && child.outcome === 'failed') return planOf(tryAgain(observed, child));
  if (child.outcome === 'succeeded') {
    if (isInUse(observed, child)) return noPlan;
    const late = lateLaunch(observed, child);
    if (late?.outcome === 'running') return noPlan;
    return planOf(late === undefined ? finish(observed, child) : [...tryAgain(observed, child), ...remove(child)]);
  }
  if (all.some(({ outcome }) => outcome === 'succeeded') || all[0] !== child)
    return retire(child, now, failed.indexOf(child) < keptFailures ? keep.failed : 0);
  if (child.outcome === 'running')
    return child.deleting ? planOf([...tryAgain(observed, child), dropFinalizer(child)]) : noPlan;
  if (child.facts?.claim === undefined) return retire(child, now, keep.failed);
  if (isHopeless(observed, child)) return planOf(giveUp(child, all));
  const retryAt = (child.completed ?? child.created) + cleanupBackoff(child.cleanupTry);
  return now >= retryAt ? planOf(tryAgain(observed, child)) : { actions: [], lookAgainAt: retryAt };
}

/** Logs of failed cleanups of one lease: what is wrong with a host is the same every time. */
const keptFailures = 2;

/** Its host was taken out of host-config, and nobody has reached it for long. */
function isHopeless({ isConfigured, launchedPool }: Observed, { host, cleanupTry, facts }: OwnTaskRun): boolean {
  const { launch } = facts?.claim ?? {};
  const known =
    launch === undefined ? isConfigured(host) : launchedPool(facts?.platform ?? '', launch.type) !== undefined;
  return host !== '' && !known && triedFor(cleanupTry) >= cleanupPatience;
}

/** A launch that ended after its host was terminated, or has not ended: the host may be there again. */
function lateLaunch({ children }: Observed, done: OwnTaskRun): OwnTaskRun | undefined {
  const launches = children.filter(
    (child) => child.type === 'launch' && !child.deleting && worksFor(child, leaseOf(done)),
  );
  return done.type === 'terminate'
    ? launches.find(({ outcome, completed = 0 }) => outcome === 'running' || completed > done.created)
    : undefined;
}

/** The newest goes last: it alone remembers how often it was tried. */
function giveUp(child: OwnTaskRun, all: readonly OwnTaskRun[]): Action[] {
  const { host, userName, userNamespace, message: said } = child;
  const build = `${userNamespace}/${userName}`;
  const launched = child.type === 'terminate';
  const message = launched
    ? `host ${host}, launched for TaskRun ${build}, could not be terminated and is given up: ${said}`
    : `host ${host} is gone: the user of TaskRun ${build} there is given up: ${said}`;
  const kind = launched ? 'instance' : 'host-user';
  return [{ type: 'report-orphan', kind, host, message }, ...all.toReversed().flatMap(remove)];
}

function tryAgain(observed: Observed, child: OwnTaskRun): Action[] {
  const { facts } = child;
  if (facts?.claim === undefined) return [];
  const manifest = undoTaskRun(observed.build, facts, facts.claim, child.cleanupTry + 1, observed.installation);
  const told: Action[] =
    observed.taskRun === undefined
      ? []
      : [
          {
            type: 'emit-event',
            about: observed.taskRun,
            severity: 'Warning',
            ...sentenceOfFailure(child, facts.claim),
          },
        ];
  return [{ type: 'create-task-run', manifest }, ...told];
}

function sentenceOfFailure({ type, message }: OwnTaskRun, claim: HostFacts): Pick<EmitEvent, 'reason' | 'message'> {
  return type === 'terminate'
    ? {
        reason: 'TerminateFailed',
        message: `host ${hostText(claim)} could not be terminated, trying again: ${message}`,
      }
    : { reason: 'CleanupFailed', message: `host ${claim.host} could not be cleaned, trying again: ${message}` };
}

type EmitEvent = Extract<Action, { type: 'emit-event' }>;

/** Done. A Secret that a stopped provision made late goes as well. */
function finish(observed: Observed, child: OwnTaskRun): Action[] {
  const { namespace, name } = observed.build;
  // When the build is gone its Secret goes with it, and one of that name may be another build's.
  const { taskRun } = observed;
  const late = taskRun !== undefined && child.facts?.ready === undefined && !goesOn(observed);
  const lost = child.results['LOST'];
  return [
    // What a build died of: its host was gone before anybody terminated it.
    ...(lost === undefined || taskRun === undefined ? [] : [event(taskRun, 'Warning', 'HostLost', lost)]),
    ...(late ? [{ type: 'delete-secret', namespace, name: secretNameFor(name) } as const] : []),
    ...keptAlong(observed, child).map((target) => ({ type: 'mark-cleaned', target }) as const),
    ...remove(child),
  ];
}

/** Others of the lease that stay, for their logs or because they still run. */
function keptAlong({ children }: Observed, done: OwnTaskRun): OwnTaskRun[] {
  const others = children.filter((child) => child !== done && !child.cleaned && worksFor(child, leaseOf(done)));
  return others.filter((child) => child.outcome === 'running' || isKeptForLog(child));
}

/** It failed. What was cancelled while it prepared a host goes at once. */
function isKeptForLog(child: OwnTaskRun): boolean {
  return child.outcome === 'failed' && (!child.cancelled || isUndo(child));
}

/** The build goes on, on another host or with an error Secret. */
function goesOn({ taskRun }: Observed): boolean {
  return taskRun !== undefined && !taskRun.deleting && taskRun.outcome === 'running';
}

/** Superseded: no finalizer any more, deleted when its log is old. */
function retire(child: OwnTaskRun, now: Instant, kept: Duration): Plan {
  const drop = child.hasFinalizer ? [dropFinalizer(child)] : [];
  return child.deleting || child.outcome === 'running' ? planOf(drop) : planOf(drop, keepFor(child, now, kept));
}

function keepFor(child: OwnTaskRun, now: Instant, kept: Duration): Plan {
  const until = (child.completed ?? child.created) + kept;
  return now >= until ? planOf([{ type: 'delete-task-run', target: child }]) : { actions: [], lookAgainAt: until };
}

function dropFinalizer(target: OwnTaskRun): Action {
  return { type: 'drop-own-finalizer', target };
}
