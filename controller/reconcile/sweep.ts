// The periodic look-again: whatever an event missed is found here.
import { buildKey, platformKey, type Key } from './doorbells.ts';
import { isWaiting, type TaskRuns } from './take-snapshot.ts';

/** Every build we know of, also those that only TaskRuns of ours remember, and every platform somebody waits for. */
export function keysOfAll(taskRuns: TaskRuns): Set<Key> {
  const keys = keysOfQueues(taskRuns);
  for (const taskRun of taskRuns.values()) {
    const uid = taskRun.kind === 'own' ? taskRun.userUid : taskRun.uid;
    if (uid !== '') keys.add(buildKey(uid));
  }
  return keys;
}

/** Every platform somebody waits for. */
export function keysOfQueues(taskRuns: TaskRuns): Set<Key> {
  const keys = new Set<Key>();
  for (const taskRun of taskRuns.values())
    if (taskRun.kind === 'user' && isWaiting(taskRun)) keys.add(platformKey(taskRun.platform ?? ''));
  return keys;
}
