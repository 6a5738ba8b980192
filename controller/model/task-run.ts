// TaskRuns as the controller keeps them: a few flat fields of the 25 KB the API sends.
import type { LeaseFacts } from './host-lease.ts';
import type { Instant } from './instant.ts';
import type { TaskType } from './labels.ts';

/** Facts we did not sign are kept, so that the next write can test for them; of longer ones only a part. */
export const longestForgery = 4096;

/** What every TaskRun has, whoever made it. */
export interface TaskRunState {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Opaque: compared by equality only. */
  readonly resourceVersion: string;
  readonly created: Instant;
  /** Has a deletionTimestamp. */
  readonly deleting: boolean;
  readonly outcome: Outcome;
  /** status.podName, '' while there is none. */
  readonly podName: string;
}

export type Outcome = 'running' | 'succeeded' | 'failed';

/** A build: mounts our Secret. TaskRuns that do not are not kept at all. */
export interface UserTaskRun extends TaskRunState {
  readonly kind: 'user';
  /** Value of param PLATFORM (or its default in status.taskSpec); undefined when there is neither. */
  readonly platform: string | undefined;
  /** Length of status.retriesStatus. */
  readonly retries: number;
  readonly hasFinalizer: boolean;
  /** Annotation `…/host-lease` as it stands, for the precondition of the next write; a forgery longer than longestForgery is cut. */
  readonly signedFacts: string | undefined;
  /** The same, once its signature was verified; undefined for none, or for a forgery. */
  readonly facts: LeaseFacts | undefined;
  /** spec.status is set: somebody wants it to end, and Tekton has yet to see to it. */
  readonly cancelled: boolean;
  /** When the build ended or its deletion was asked for; undefined while it runs. */
  readonly ended: Instant | undefined;
  /** Label `…/assigned-host` as it stands: anyone may have written it. */
  readonly assignedHost: string | undefined;
  /** Label `…/attempt` as it stands: anyone may have written it. */
  readonly attemptLabel: string | undefined;
  /** Label `…/lease-mark` as it stands: anyone may have written it, but only with the key one that fits. */
  readonly markLabel: string | undefined;
  /** Label `…/target-platform`. */
  readonly targetPlatform: string | undefined;
  /** Label `…/waiting-for-platform`. */
  readonly waitingFor: string | undefined;
  readonly failedHosts: readonly string[];
  /** What it asks for a host of its own, by the names of its params; with annotation `…/host-resources` only. */
  readonly wishes?: Readonly<Record<string, string>>;
  /** Annotation `…/priority`; 0 for none, and for one that is no integer. */
  readonly priority: number;
  /** The beginning of a priority that is no integer. */
  readonly unreadablePriority: string | undefined;
  readonly waitReason: string | undefined;
  readonly queuePosition: string | undefined;
  /** JSON Patch cannot add a key to a map that is not there. */
  readonly hasAnnotations: boolean;
  readonly hasLabels: boolean;
  readonly finalizers: readonly string[];
}

/** A TaskRun the controller created in its own namespace, or an older controller did. */
export interface OwnTaskRun extends TaskRunState {
  readonly kind: 'own';
  readonly type: TaskType;
  /** uid of the build; see taskruns/older-task-run.ts for an older controller's. '': it works for no build. */
  readonly userUid: string;
  readonly userName: string;
  readonly userNamespace: string;
  readonly attempt: number;
  readonly cleanupTry: number;
  /** Label `…/cleaned`: nothing of its attempt is left on the host. */
  readonly cleaned: boolean;
  /** Name of its host in its facts; without facts, label `…/assigned-host`. */
  readonly host: string;
  /** Facts as written at creation; of an older controller's TaskRun, read from what it was given. */
  readonly facts: LeaseFacts | undefined;
  readonly hasFinalizer: boolean;
  readonly finalizers: readonly string[];
  /** status.completionTime. */
  readonly completed: Instant | undefined;
  /** spec.status is TaskRunCancelled, by us or by somebody. */
  readonly cancelled: boolean;
  /** Results by name, strings only. */
  readonly results: Readonly<Record<string, string>>;
  /** Message of the Succeeded condition. */
  readonly message: string;
}

export type KeptTaskRun = UserTaskRun | OwnTaskRun;
