// Which looks a change calls for. Events are doorbells only: a lost or doubled one changes nothing but time.
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { launchedHostOf } from './launched-host.ts';
import { holdsSlot, isWaiting } from './take-snapshot.ts';

export type Key = `build:${string}` | `platform:${string}`;

export function buildKey(uid: string): Key {
  return `build:${uid}`;
}

export function platformKey(platform: string): Key {
  return `platform:${platform}`;
}

/** Keys to look at after a TaskRun changed from one state to the next. */
export function keysFor(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): Key[] {
  const taskRun = after ?? before;
  if (taskRun === undefined) return [];
  if (taskRun.kind === 'own') return keysForOwn(taskRun, before, after);
  const user = (kept: KeptTaskRun | undefined): UserTaskRun | undefined => (kept?.kind === 'user' ? kept : undefined);
  return [buildKey(taskRun.uid), ...lanesFor(user(before), user(after))];
}

/** One that updates a host works for no build. The end of a cleanup may free a slot, and that of a launch tells of capacity. */
function keysForOwn(taskRun: OwnTaskRun, before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): Key[] {
  const build = taskRun.userUid === '' ? [] : [buildKey(taskRun.userUid)];
  const ended = before?.outcome === 'running' && after?.outcome !== 'running';
  const tells = taskRun.type === 'clean' || taskRun.type === 'launch';
  const gone = before !== undefined && launchedHostOf(before) !== (after && launchedHostOf(after));
  const platform = taskRun.facts?.platform;
  return ((ended && tells) || gone) && platform !== undefined ? [...build, platformKey(platform)] : build;
}

/** A lane looks when somebody joined or left its queue, or when a slot became free. */
function lanesFor(before: UserTaskRun | undefined, after: UserTaskRun | undefined): Key[] {
  const platform = (after ?? before)?.platform;
  if (platform === undefined) return [];
  const waitedBefore = before !== undefined && isWaiting(before);
  const waitsNow = after !== undefined && isWaiting(after);
  const freed = before !== undefined && holdsSlot(before) && (after === undefined || !holdsSlot(after));
  const released = before?.facts?.claim !== undefined && after?.facts?.claim === undefined;
  // A build whose facts were missing is in the queue only from now on.
  const settled = before !== undefined && before.facts === undefined && after?.facts !== undefined;
  const failed = failedHostsOf(before) !== failedHostsOf(after);
  return waitedBefore !== waitsNow || freed || released || settled || failed ? [platformKey(platform)] : [];
}

function failedHostsOf(taskRun: UserTaskRun | undefined): string {
  return taskRun?.failedHosts.join(',') ?? '';
}
