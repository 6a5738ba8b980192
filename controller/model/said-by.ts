// What a TaskRun of ours says about its end, in the words for people.
import type { OwnTaskRun } from './task-run.ts';

/** Its result MESSAGE; Tekton's own message when it wrote none. */
export function saidBy({ results, message }: Pick<OwnTaskRun, 'results' | 'message'>): string {
  return results['MESSAGE'] ?? message;
}
