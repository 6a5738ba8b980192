// The port to the Kubernetes API that the rest of the controller is written against: types only, raw JSON in and out.
// Every promise rejects with an ApiError and nothing else.
import type { ReviewResource, StoredResource } from './resource.ts';

/** An object as the API server sent it. Unknown fields stay: nothing is ever lost in a typed model. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent on cluster-scoped objects only. */
  readonly namespace?: string;
  readonly uid: string;
  /** Opaque: compared by equality only, but for is-not-newer.ts. */
  readonly resourceVersion: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** Body of a create: apiVersion and kind are filled in from the resource when absent. */
export interface KubeManifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly name?: string; readonly generateName?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: Readonly<Record<string, unknown>> };

export interface Cluster {
  read(resource: StoredResource, namespace: string, name: string): Promise<KubeObject>;

  /** With dryRun nothing is stored: an 'exists' error answers whether the name is taken. */
  create(
    resource: StoredResource,
    namespace: string,
    body: KubeManifest,
    options?: { readonly dryRun?: boolean },
  ): Promise<KubeObject>;

  /** A JSON Patch whose `test` fails, or whose path is not there, rejects with 'conflict'. */
  patch(resource: StoredResource, namespace: string, name: string, patch: Patch): Promise<KubeObject>;

  /** Whole-object update under optimistic lock; only the leader election lease is ever replaced. */
  replace(resource: 'leases', namespace: string, name: string, body: KubeManifest): Promise<KubeObject>;

  /**
   * Returns the object when it is still there afterwards (a finalizer holds it), undefined when it is removed.
   * With uid: 'gone' when the object of that name is another one.
   */
  delete(
    resource: StoredResource,
    namespace: string,
    name: string,
    options?: { readonly uid?: string },
  ): Promise<KubeObject | undefined>;

  /** Asks the API server a question (TokenReview, SubjectAccessReview); returns the status part of the answer. */
  review(resource: ReviewResource, spec: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
}
