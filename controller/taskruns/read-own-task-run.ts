// TaskRuns the controller made in its own namespace, as kept, and those a Go controller left there. They are trusted: no
// tenant can write there.
import type { LeaseFacts } from '../model/host-lease.ts';
import { asArray, asObject, asText, asTextMap, type Json } from '../model/json.ts';
import { annotations, labels, ownTaskRunFinalizer, type TaskType } from '../model/labels.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { isFromOlderController, olderBuildUid, readOlderFacts } from './older-task-run.ts';
import { readCompletion, readFinalizers, readState, succeededCondition } from './task-run-state.ts';

/** Reads the facts a TaskRun of ours carries. Given by lease/signed-facts.ts. */
export type ParseFacts = (text: string) => LeaseFacts | undefined;

const taskTypes: readonly string[] = [
  'provision',
  'clean',
  'update',
  'launch',
  'terminate',
  'list',
] satisfies TaskType[];

/** Undefined: not a TaskRun of ours. */
export function readOwnTaskRun(raw: Json, parseFacts: ParseFacts): OwnTaskRun | undefined {
  const metadata = asObject(raw['metadata']);
  const labelValues = asTextMap(metadata['labels']);
  const type = labelValues[labels.taskType];
  if (!isTaskType(type)) return undefined;
  const finalizers = readFinalizers(raw);
  const facts = readFacts(raw, parseFacts);
  return {
    ...readState(raw),
    kind: 'own',
    type,
    ...readBuild(labelValues),
    attempt: Number(labelValues[labels.attempt] ?? 0),
    cleanupTry: Number(labelValues[labels.cleanupTry] ?? 1),
    cleaned: labelValues[labels.cleaned] === 'true',
    // The label of a launched host may say what its provider calls it.
    host: facts?.claim?.host ?? labelValues[labels.assignedHost] ?? '',
    facts: facts ?? (isFromOlderController(labelValues) ? readOlderFacts(raw) : undefined),
    finalizers,
    hasFinalizer: finalizers.includes(ownTaskRunFinalizer),
    completed: readCompletion(raw),
    cancelled: asText(asObject(raw['spec'])['status']) === 'TaskRunCancelled',
    results: readResults(raw),
    message: asText(succeededCondition(raw)['message']) ?? '',
  };
}

function readBuild(
  values: Readonly<Record<string, string>>,
): Pick<OwnTaskRun, 'userUid' | 'userName' | 'userNamespace'> {
  const userName = values[labels.userTaskName] ?? '';
  const userNamespace = values[labels.userTaskNamespace] ?? '';
  const userUid = isFromOlderController(values)
    ? olderBuildUid(userNamespace, userName)
    : (values[labels.userTaskUid] ?? '');
  return { userUid, userName, userNamespace };
}

function readFacts(raw: Json, parseFacts: ParseFacts): LeaseFacts | undefined {
  const facts = asTextMap(asObject(raw['metadata'])['annotations'])[annotations.hostLease];
  return facts === undefined ? undefined : parseFacts(facts);
}

function isTaskType(type: string | undefined): type is TaskType {
  return type !== undefined && taskTypes.includes(type);
}

function readResults(raw: Json): Readonly<Record<string, string>> {
  const results = asArray(asObject(raw['status'])['results']).map(asObject);
  return Object.fromEntries(
    results.flatMap(({ name, value }) =>
      typeof name === 'string' && typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}
