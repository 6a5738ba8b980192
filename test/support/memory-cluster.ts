// A small working API server in memory, behind the controller's own port: resource versions, finalizers, garbage
// collection by owner, JSON Patch tests. Requests can be made to fail, to have an effect and still fail, or to wait.
import { isDeepStrictEqual } from 'node:util';
import { ApiError, type ApiErrorKind } from '../../controller/kubernetes/api-errors.ts';
import type { Cluster, KubeManifest, KubeObject, Patch } from '../../controller/kubernetes/cluster.ts';
import { apiVersionOf, resources, type StoredResource } from '../../controller/kubernetes/resource.ts';
import type { Clock } from '../../controller/model/clock.ts';
import { asArray, asTextMap } from '../../controller/model/json.ts';
import { applyJsonPatch, applyMergePatch, PatchRefused } from './json-patch.ts';

export interface ClusterRequest {
  readonly verb: 'read' | 'create' | 'patch' | 'delete';
  readonly resource: StoredResource;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly body: unknown;
}

/** What happens to one request. `before`: instead of its effect. `after`: it took effect, and the answer is this. */
export interface Fault {
  readonly before?: Error | Promise<void>;
  readonly after?: Error | Promise<void>;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

type Stored = Record<string, unknown> & { metadata: Record<string, unknown> };

export class MemoryCluster implements Cluster {
  readonly requests: ClusterRequest[] = [];
  /** Asked for every request; to be set by tests. */
  fault: (request: ClusterRequest) => Fault | undefined = () => undefined;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Map<StoredResource, ((event: WatchEvent) => void)[]>();
  #version = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  // ---- for tests

  /** Every event from now on, in order, at the moment of the change. */
  watch(resource: StoredResource, watcher: (event: WatchEvent) => void): void {
    this.#watchers.set(resource, [...(this.#watchers.get(resource) ?? []), watcher]);
  }

  all(resource: StoredResource): KubeObject[] {
    return [...this.#objects].flatMap(([key, object]) => (key.startsWith(`${resource} `) ? [seen(object)] : []));
  }

  find(resource: StoredResource, namespace: string, name: string): KubeObject | undefined {
    const object = this.#objects.get(keyOf(resource, namespace, name));
    return object && seen(object);
  }

  /** What others do to an object: no faults, no record. A no-op when it is gone. */
  change(resource: StoredResource, namespace: string, name: string, edit: (object: Stored) => void): void {
    const object = this.#objects.get(keyOf(resource, namespace, name));
    if (object !== undefined) this.#store(resource, object, edit);
  }

  /** What others create. */
  put(resource: StoredResource, namespace: string, body: KubeManifest): KubeObject {
    return this.#create(resource, namespace, body);
  }

  /** What others delete. */
  remove(resource: StoredResource, namespace: string, name: string): void {
    const object = this.#objects.get(keyOf(resource, namespace, name));
    if (object !== undefined) this.#delete(resource, object);
  }

  /** Removes what belongs to an owner that is gone, as the API server does in its own time. */
  collectGarbage(): void {
    const uids = new Set([...this.#objects.values()].map(({ metadata }) => metadata['uid']));
    for (const resource of ['secrets', 'pods'] as const)
      for (const { metadata } of this.all(resource))
        if (metadata.ownerReferences?.some(({ uid }) => !uids.has(uid)))
          this.remove(resource, metadata.namespace ?? '', metadata.name);
  }

  // ---- the port

  async read(resource: StoredResource, namespace: string, name: string): Promise<KubeObject> {
    const request = { verb: 'read', resource, namespace, name, dryRun: false, body: undefined } as const;
    return this.#answer(request, () => seen(this.#get(resource, namespace, name)));
  }

  async create(
    resource: StoredResource,
    namespace: string,
    body: KubeManifest,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<KubeObject> {
    const dryRun = options.dryRun ?? false;
    const request = { verb: 'create', resource, namespace, name: body.metadata.name ?? '', dryRun, body } as const;
    return this.#answer(request, () => this.#create(resource, namespace, body, dryRun));
  }

  async patch(resource: StoredResource, namespace: string, name: string, patch: Patch): Promise<KubeObject> {
    const request = { verb: 'patch', resource, namespace, name, dryRun: false, body: patch } as const;
    return this.#answer(request, () =>
      this.#store(resource, this.#get(resource, namespace, name), (object) => {
        if (patch.type === 'merge') applyMergePatch(object, patch.body);
        else applyJsonPatch(object, patch.operations);
      }),
    );
  }

  async delete(
    resource: StoredResource,
    namespace: string,
    name: string,
    options: { readonly uid?: string } = {},
  ): Promise<KubeObject | undefined> {
    const request = { verb: 'delete', resource, namespace, name, dryRun: false, body: options } as const;
    return this.#answer(request, () => {
      const object = this.#get(resource, namespace, name);
      if (options.uid !== undefined && object.metadata['uid'] !== options.uid) throw apiError('gone', 'another uid');
      return this.#delete(resource, object);
    });
  }

  replace(): Promise<KubeObject> {
    return Promise.reject(apiError('invalid', 'leases are not kept here'));
  }

  review(): Promise<Readonly<Record<string, unknown>>> {
    return Promise.reject(apiError('invalid', 'nobody is asked here'));
  }

  // ---- inside

  async #answer<Answer>(request: ClusterRequest, effect: () => Answer): Promise<Answer> {
    this.requests.push(request);
    await Promise.resolve();
    const { before, after } = this.fault(request) ?? {};
    if (before instanceof Error) throw before;
    await before;
    const answer = effect();
    if (after instanceof Error) throw after;
    await after;
    return answer;
  }

  #get(resource: StoredResource, namespace: string, name: string): Stored {
    const object = this.#objects.get(keyOf(resource, namespace, name));
    if (object === undefined) throw apiError('gone', `${resource} ${namespace}/${name} not found`);
    return object;
  }

  #create(resource: StoredResource, namespace: string, body: KubeManifest, dryRun = false): KubeObject {
    const name = body.metadata.name ?? '';
    const key = keyOf(resource, namespace, name);
    if (this.#objects.has(key)) throw apiError('exists', `${resource} ${namespace}/${name} already exists`);
    this.#version += 1;
    const { stringData, ...rest } = structuredClone(body) as Stored & { stringData?: unknown };
    const object: Stored = {
      apiVersion: apiVersionOf(resource),
      kind: resources[resource].kind,
      ...rest,
      ...(stringData === undefined ? {} : { data: encoded(stringData) }),
      metadata: {
        creationTimestamp: new Date(this.#clock.now()).toISOString(),
        ...rest.metadata,
        namespace,
        uid: `uid-${this.#version}`,
        resourceVersion: String(this.#version),
      },
    };
    if (dryRun) return seen(object);
    this.#objects.set(key, object);
    this.#tell(resource, 'ADDED', object);
    return seen(object);
  }

  #store(resource: StoredResource, before: Stored, edit: (object: Stored) => void): KubeObject {
    const object = structuredClone(before);
    try {
      edit(object);
    } catch (error) {
      if (!(error instanceof PatchRefused)) throw error;
      throw apiError('conflict', error.message);
    }
    const finalizers = (of: Stored): readonly unknown[] => asArray(of.metadata['finalizers']);
    const deleting = before.metadata['deletionTimestamp'] !== undefined;
    if (deleting && finalizers(object).some((finalizer) => !finalizers(before).includes(finalizer)))
      throw apiError('invalid', 'no new finalizers can be added if the object is being deleted');
    if (isDeepStrictEqual(object, before)) return seen(before);
    this.#version += 1;
    object.metadata['resourceVersion'] = String(this.#version);
    const gone = deleting && finalizers(object).length === 0;
    if (gone) this.#drop(resource, object);
    else {
      this.#objects.set(keyOfObject(resource, object), object);
      this.#tell(resource, 'MODIFIED', object);
    }
    return seen(object);
  }

  #delete(resource: StoredResource, object: Stored): KubeObject | undefined {
    if (asArray(object.metadata['finalizers']).length > 0)
      return this.#store(resource, object, ({ metadata }) => {
        metadata['deletionTimestamp'] ??= new Date(this.#clock.now()).toISOString();
      });
    this.#version += 1;
    this.#drop(resource, object);
    return undefined;
  }

  #drop(resource: StoredResource, object: Stored): void {
    this.#objects.delete(keyOfObject(resource, object));
    this.#tell(resource, 'DELETED', object);
  }

  #tell(resource: StoredResource, type: WatchEvent['type'], object: Stored): void {
    const told = seen(object);
    for (const watcher of this.#watchers.get(resource) ?? []) watcher({ type, object: told });
  }
}

export function apiError(kind: ApiErrorKind, message: string, ambiguous = false): ApiError {
  return new ApiError({ kind, message, ambiguous });
}

function keyOf(resource: StoredResource, namespace: string, name: string): string {
  return `${resource} ${namespace}/${name}`;
}

function keyOfObject(resource: StoredResource, { metadata }: Stored): string {
  return keyOf(resource, String(metadata['namespace']), String(metadata['name']));
}

function encoded(stringData: unknown): Record<string, string> {
  const entries = Object.entries(asTextMap(stringData));
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}

/** What leaves the server is a copy. */
function seen(object: Stored): KubeObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as unknown to a reader as JSON from the wire
  return structuredClone(object) as unknown as KubeObject;
}
