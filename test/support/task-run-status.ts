// The status Tekton gives a TaskRun that runs, and one that ended.

export type Ending = 'succeeded' | 'failed' | 'cancelled';

export function runningStatus(): object {
  return { startTime: timeNow(), conditions: [condition('Unknown', 'Running')] };
}

export function endedStatus(ending: Ending, results: Readonly<Record<string, string>>): object {
  return {
    conditions: [endingCondition(ending)],
    completionTime: timeNow(),
    results: Object.entries(results).map(([name, value]) => ({ name, type: 'string', value })),
  };
}

function endingCondition(ending: Ending): object {
  if (ending === 'succeeded') return condition('True', 'Succeeded');
  return condition('False', ending === 'failed' ? 'Failed' : 'TaskRunCancelled');
}

function condition(status: string, reason: string): object {
  return { type: 'Succeeded', status, reason, message: reason };
}

/** Times of objects are whole seconds. */
function timeNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
