// The detection contract: which TaskRuns are builds that want a host, and what is kept of them.
import type { LeaseFacts } from '../model/host-lease.ts';
import { asArray, asObject, asText, asTextMap, type Json } from '../model/json.ts';
import { parseInstant, type Instant } from '../model/instant.ts';
import { annotations, labels, secretNamePrefix, userTaskRunFinalizer } from '../model/labels.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { readCompletion, readFinalizers, readState } from './task-run-state.ts';

/** Reads facts back from the annotation; undefined when they are not ours. Given by lease/signed-facts.ts. */
export type VerifyFacts = (uid: string, signed: string) => LeaseFacts | undefined;

/** Undefined: this TaskRun mounts no Secret of ours; nothing of it is kept. */
export function readUserTaskRun(raw: Json, verify: VerifyFacts): UserTaskRun | undefined {
  const taskSpec = asObject(asObject(raw['status'])['taskSpec']);
  if (!mountsOurSecret(taskSpec)) return undefined;
  const metadata = asObject(raw['metadata']);
  const labelValues = asTextMap(metadata['labels']);
  const annotationValues = asTextMap(metadata['annotations']);
  const state = readState(raw);
  const finalizers = readFinalizers(raw);
  const signedFacts = annotationValues[annotations.hostLease];
  return {
    ...state,
    kind: 'user',
    platform: readPlatform(raw, taskSpec),
    retries: asArray(asObject(raw['status'])['retriesStatus']).length,
    finalizers,
    hasFinalizer: finalizers.includes(userTaskRunFinalizer),
    signedFacts,
    facts: signedFacts === undefined ? undefined : verify(state.uid, signedFacts),
    cancelled: isCancelled(raw),
    ended: readEnd(raw),
    assignedHost: labelValues[labels.assignedHost],
    attemptLabel: labelValues[labels.attempt],
    waitingFor: labelValues[labels.waitingForPlatform],
    targetPlatform: labelValues[labels.targetPlatform],
    ...readPriority(annotationValues[annotations.priority]),
    failedHosts: splitList(annotationValues[annotations.failedHosts]),
    waitReason: annotationValues[annotations.waitReason],
    queuePosition: annotationValues[annotations.queuePosition],
    hasAnnotations: metadata['annotations'] !== undefined,
    hasLabels: metadata['labels'] !== undefined,
  };
}

function mountsOurSecret(taskSpec: Json): boolean {
  return asArray(taskSpec['volumes']).some((volume) =>
    asText(asObject(asObject(volume)['secret'])['secretName'])?.startsWith(secretNamePrefix),
  );
}

/** The first PLATFORM of spec.params; else its default in the Task. An array or object reads as ''. */
/** A well-formed one has 127 characters at most; a longer one stays malformed when it is cut here, and fills no memory. */
const longestPlatform = 128;

function readPlatform(raw: Json, taskSpec: Json): string | undefined {
  const named = (params: unknown): Json | undefined =>
    asArray(params)
      .map(asObject)
      .find((param) => param['name'] === 'PLATFORM');
  const given = named(asObject(raw['spec'])['params']);
  const platform =
    given === undefined ? asText(named(taskSpec['params'])?.['default']) : (asText(given['value']) ?? '');
  return platform?.slice(0, longestPlatform);
}

/** Whatever it says but that the TaskRun is to wait before it starts. */
function isCancelled(raw: Json): boolean {
  const status = asText(asObject(raw['spec'])['status']) ?? '';
  return status !== '' && !status.endsWith('Pending');
}

function readEnd(raw: Json): Instant | undefined {
  return readCompletion(raw) ?? parseInstant(asText(asObject(raw['metadata'])['deletionTimestamp']));
}

/** Anyone may have written it: what is no integer counts as none, and only enough of it is kept to name it. */
function readPriority(text: string | undefined): Pick<UserTaskRun, 'priority' | 'unreadablePriority'> {
  if (text === undefined) return { priority: 0, unreadablePriority: undefined };
  const readable = /^\s*[-+]?[0-9]{1,9}\s*$/.test(text);
  // Adding 0 makes 0 of -0.
  return readable
    ? { priority: Number(text) + 0, unreadablePriority: undefined }
    : { priority: 0, unreadablePriority: text.slice(0, 32) };
}

function splitList(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').filter((entry) => entry !== '');
}
