// What every TaskRun has, whoever made it: identity and outcome.
import { asArray, asObject, asText, type Json } from '../model/json.ts';
import { parseInstant, type Instant } from '../model/instant.ts';
import type { Outcome, TaskRunState } from '../model/task-run.ts';

export function readState(raw: Json): TaskRunState {
  const metadata = asObject(raw['metadata']);
  const text = (key: string): string => asText(metadata[key]) ?? '';
  return {
    uid: text('uid'),
    namespace: text('namespace'),
    name: text('name'),
    resourceVersion: text('resourceVersion'),
    created: parseInstant(asText(metadata['creationTimestamp'])) ?? 0,
    deleting: metadata['deletionTimestamp'] !== undefined,
    outcome: readOutcome(raw),
    podName: asText(asObject(raw['status'])['podName']) ?? '',
  };
}

/** Condition `Succeeded`, as Tekton writes it: True, False, or Unknown while it runs. */
export function succeededCondition(raw: Json): Json {
  const conditions = asArray(asObject(raw['status'])['conditions']).map(asObject);
  return conditions.find((condition) => condition['type'] === 'Succeeded') ?? {};
}

/**
 * status.completionTime; Tekton leaves it out when it could not even make the pod, and others who write a status may leave out
 * all times: then it is when the API server took that. Undefined while it runs.
 */
export function readCompletion(raw: Json): Instant | undefined {
  const completion = completionOf(raw);
  if (completion !== undefined || readOutcome(raw) === 'running') return completion;
  return parseInstant(asText(succeededCondition(raw)['lastTransitionTime'])) ?? lastStatusWrite(raw);
}

function lastStatusWrite(raw: Json): Instant | undefined {
  const writes = asArray(asObject(raw['metadata'])['managedFields']).map(asObject);
  const times = writes.flatMap((it) =>
    it['subresource'] === 'status' ? (parseInstant(asText(it['time'])) ?? []) : [],
  );
  return times.length === 0 ? undefined : Math.max(...times);
}

function completionOf(raw: Json): Instant | undefined {
  return parseInstant(asText(asObject(raw['status'])['completionTime']));
}

function readOutcome(raw: Json): Outcome {
  const { status } = succeededCondition(raw);
  if (status === 'True') return 'succeeded';
  // Completed without a verdict: it is over, and nobody may rely on what it was to do.
  return status === 'False' || completionOf(raw) !== undefined ? 'failed' : 'running';
}

export function readFinalizers(raw: Json): readonly string[] {
  return asArray(asObject(raw['metadata'])['finalizers']).flatMap((entry) => asText(entry) ?? []);
}
