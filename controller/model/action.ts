// What the controller can do to the cluster: a closed union. reconcile/perform.ts is the only file that does it.
import type { EventReason } from './reason.ts';
import type { LeaseFacts } from './host-lease.ts';
import type { OwnTaskRun, UserTaskRun } from './task-run.ts';

/** One change. A list of them is in the order of effects: claim before act. */
export type Action =
  | { readonly type: 'patch-user-task-run'; readonly target: UserTaskRun; readonly change: UserTaskRunChange }
  | { readonly type: 'create-task-run'; readonly manifest: TaskRunManifest }
  | { readonly type: 'cancel-task-run'; readonly target: OwnTaskRun }
  | { readonly type: 'delete-task-run'; readonly target: OwnTaskRun }
  | { readonly type: 'drop-own-finalizer'; readonly target: OwnTaskRun }
  /** Remembers on a TaskRun that is kept that its host is clean: the TaskRun that cleaned it is going. */
  | { readonly type: 'mark-cleaned'; readonly target: OwnTaskRun }
  | { readonly type: 'create-secret'; readonly owner: UserTaskRun; readonly data: Readonly<Record<string, string>> }
  | {
      readonly type: 'check-secret';
      readonly owner: UserTaskRun;
      /** A TaskRun of ours ended well, and says that it made the Secret. */
      readonly wasReported?: true;
      readonly present: readonly Action[];
      readonly missing: readonly Action[];
    }
  | { readonly type: 'delete-secret'; readonly namespace: string; readonly name: string }
  /** The stored key of the build may be fetched once more for each of its retries. */
  | {
      readonly type: 'rearm-token';
      /** The operator namespace. */
      readonly namespace: string;
      readonly owner: UserTaskRun;
      readonly retries: number;
    }
  /** Nothing is changed: something of ours is given up, and people must know. */
  | {
      readonly type: 'report-orphan';
      readonly kind: 'host-user' | 'instance';
      readonly host: string;
      readonly message: string;
    }
  | {
      readonly type: 'annotate-pod';
      /** The build whose pod it is. */
      readonly about: UserTaskRun;
      readonly annotations: Readonly<Record<string, string | null>>;
    }
  | {
      readonly type: 'emit-event';
      readonly about: UserTaskRun;
      readonly severity: 'Normal' | 'Warning';
      readonly reason: EventReason;
      readonly message: string;
    };

/** Fields of a user TaskRun the controller changes; an absent key stays as it is, null removes. */
export interface UserTaskRunChange {
  readonly finalizer?: 'add' | 'remove';
  /** Facts to sign and store; null removes the annotation. */
  readonly facts?: LeaseFacts | null;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/** A TaskRun to create, as the API takes it. */
export interface TaskRunManifest {
  readonly apiVersion: 'tekton.dev/v1';
  readonly kind: 'TaskRun';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
}
