// The detection contract: which TaskRuns are builds that want a host, and what is kept of them.
import { boundedTail, boundedText } from '../model/bounded-text.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import { asArray, asObject, asText, asTextMap, type Json } from '../model/json.ts';
import { parseInstant, type Instant } from '../model/instant.ts';
import { annotations, labels, secretNamePrefix, userTaskRunFinalizer } from '../model/labels.ts';
import { longestForgery, type UserTaskRun } from '../model/task-run.ts';
import { wishNames } from './wished-resources.ts';
import { readCompletion, readFinalizers, readState } from './task-run-state.ts';

/** Reads facts back from the annotation; undefined when they are not ours. Given by lease/signed-facts.ts. */
export type VerifyFacts = (uid: string, signed: string) => LeaseFacts | undefined;

/** A well-formed one has 127 characters at most; a longer one stays malformed when it is cut here. */
const longestPlatform = 128;
/** What we write ourselves is shorter. */
const longestMessage = 4096;
/** More than a hundred hosts of ordinary names. */
const longestFailedHosts = 4096;
/** Names that are kept of them. */
const mostNames = 256;

/** Tekton refuses longer names; labels, and names of what we would make for it, could not hold them. */
const longestName = 63;

/** Undefined: this TaskRun mounts no Secret of ours, has a task type, or has too long a name; nothing of it is kept. */
export function readUserTaskRun(raw: Json, verify: VerifyFacts): UserTaskRun | undefined {
  const taskSpec = asObject(asObject(raw['status'])['taskSpec']);
  if (!mountsOurSecret(taskSpec)) return undefined;
  const metadata = asObject(raw['metadata']);
  const labelValues = asTextMap(metadata['labels']);
  const annotationValues = asTextMap(metadata['annotations']);
  const state = readState(raw);
  if (state.name.length > longestName) return undefined;
  const finalizers = readFinalizers(raw);
  const holdsFinalizer = finalizers.includes(userTaskRunFinalizer);
  const kept = (annotation: string, length: number): string | undefined => {
    const text = annotationValues[annotation];
    return text === undefined ? undefined : boundedText(text, length);
  };
  const signed = annotationValues[annotations.hostLease];
  const facts = signed === undefined ? undefined : verify(state.uid, signed);
  // A task type says that it serves builds. One that holds a host already does not get away by such a label.
  const isBuild = (labelValues[labels.taskType] ?? '') === '' || facts !== undefined || holdsFinalizer;
  if (!isBuild) return undefined;
  return {
    ...state,
    kind: 'user',
    platform: readPlatform(raw, taskSpec),
    retries: asArray(asObject(raw['status'])['retriesStatus']).length,
    finalizers,
    hasFinalizer: holdsFinalizer,
    signedFacts: facts === undefined ? kept(annotations.hostLease, longestForgery + 1) : signed,
    facts,
    cancelled: isCancelled(raw),
    ended: readEnd(raw),
    assignedHost: labelValues[labels.assignedHost],
    attemptLabel: labelValues[labels.attempt],
    markLabel: labelValues[labels.leaseMark],
    waitingFor: labelValues[labels.waitingForPlatform],
    targetPlatform: labelValues[labels.targetPlatform],
    ...readPriority(annotationValues[annotations.priority]),
    failedHosts: readFailedHosts(annotationValues[annotations.failedHosts]),
    waitReason: kept(annotations.waitReason, longestMessage),
    queuePosition: kept(annotations.queuePosition, longestMessage),
    ...readWishes(raw, taskSpec, annotationValues[annotations.hostResources]),
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
function readPlatform(raw: Json, taskSpec: Json): string | undefined {
  const named = (params: unknown): Json | undefined =>
    asArray(params)
      .map(asObject)
      .find((param) => param['name'] === 'PLATFORM');
  const given = named(asObject(raw['spec'])['params']);
  const platform =
    given === undefined ? asText(named(taskSpec['params'])?.['default']) : (asText(given['value']) ?? '');
  return platform === undefined ? undefined : boundedText(platform, longestPlatform);
}

/** Longer ones are no quantities. */
const longestWish = 32;

function readWishes(raw: Json, taskSpec: Json, listed: string | undefined): Pick<UserTaskRun, 'wishes'> {
  if (listed === undefined) return {};
  const names = new Set(listed.split(',').map((name) => name.trim()));
  const valueIn = (params: unknown, field: 'value' | 'default', name: string): string | undefined =>
    asText(
      asArray(params)
        .map(asObject)
        .find((param) => param['name'] === name)?.[field],
    );
  const wishes = [...wishNames].flatMap((name): [string, string][] => {
    if (!names.has(name)) return [];
    const given = valueIn(asObject(raw['spec'])['params'], 'value', name);
    const value = given ?? valueIn(taskSpec['params'], 'default', name) ?? '';
    return value === '' || value.length > longestWish ? [] : [[name, value]];
  });
  return wishes.length === 0 ? {} : { wishes: Object.fromEntries(wishes) };
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
    : { priority: 0, unreadablePriority: boundedText(text, 32) };
}

/** We append to it, and every decision looks through it: only the newest are kept, more than anybody fails on. */
function readFailedHosts(text: string | undefined): readonly string[] {
  const entries = boundedTail(text ?? '', longestFailedHosts).split(',');
  return [...new Set(entries.filter((entry) => entry !== ''))].slice(-mostNames);
}
