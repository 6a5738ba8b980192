// The port of cluster.ts over HTTP: which verb, path, content type and safety each call has. Sends nothing by itself
// (http-transport.ts does) and keeps nothing.
import type { Duration } from '../model/instant.ts';
import { ApiError } from './api-errors.ts';
import type { Cluster, JsonPatchOperation, KubeManifest, KubeObject, Patch } from './cluster.ts';
import type { ApiRequest } from './http-transport.ts';
import { apiVersionOf, resourcePath, resources } from './resource.ts';
import type { Resource, ReviewResource, StoredResource } from './resource.ts';

/** The part of HttpTransport that is needed here. */
export interface RequestSender {
  request(request: ApiRequest): Promise<string>;
}

/** Named in managedFields of everything we write. */
const fieldManager = 'multi-platform-controller';
/** Checking for unknown fields, only to warn of them, is a fifth of what a patch costs the API server. */
const writing = `fieldManager=${fieldManager}&fieldValidation=Ignore`;
/** Short enough that a renewal without an answer leaves time for another. */
const leaseDeadline: Duration = 2_000;

export class ClusterClient implements Cluster {
  readonly #sender: RequestSender;

  constructor(sender: RequestSender) {
    this.#sender = sender;
  }

  async read(resource: StoredResource, namespace: string, name: string): Promise<KubeObject> {
    const path = resourcePath(resource, namespace, name);
    const deadline = resource === 'leases' ? { deadline: leaseDeadline } : {};
    return parse(
      await this.#sender.request({ verb: 'get', resource, path, repeatable: true, fenced: false, ...deadline }),
    );
  }

  async create(
    resource: StoredResource,
    namespace: string,
    body: KubeManifest,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<KubeObject> {
    const dryRun = options.dryRun === true;
    const answer = await this.#sender.request({
      verb: 'create',
      resource,
      path: `${resourcePath(resource, namespace)}?${writing}${dryRun ? '&dryRun=All' : ''}`,
      contentType: 'application/json',
      body: JSON.stringify(withType(resource, body)),
      repeatable: dryRun,
      fenced: !dryRun && isFenced(resource),
    });
    return parse(answer);
  }

  async patch(resource: StoredResource, namespace: string, name: string, patch: Patch): Promise<KubeObject> {
    const json = patch.type === 'json';
    const answer = await this.#sender.request({
      verb: 'patch',
      resource,
      path: `${resourcePath(resource, namespace, name)}?${writing}`,
      contentType: json ? 'application/json-patch+json' : 'application/merge-patch+json',
      body: json ? textOfOperations(patch.operations) : JSON.stringify(patch.body),
      // Applied twice, a patch with a test says 'conflict': the caller looks again and finds it applied.
      repeatable: json && patch.operations.some((it) => it.op === 'test'),
      fenced: isFenced(resource),
    });
    return parse(answer);
  }

  async replace(resource: 'leases', namespace: string, name: string, body: KubeManifest): Promise<KubeObject> {
    const answer = await this.#sender.request({
      verb: 'update',
      resource,
      path: `${resourcePath(resource, namespace, name)}?${writing}`,
      contentType: 'application/json',
      body: JSON.stringify(withType(resource, body)),
      repeatable: false,
      fenced: isFenced(resource),
      deadline: leaseDeadline,
    });
    return parse(answer);
  }

  async delete(
    resource: StoredResource,
    namespace: string,
    name: string,
    options: { readonly uid?: string } = {},
  ): Promise<KubeObject | undefined> {
    const { uid } = options;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    try {
      const answer = await this.#sender.request({
        verb: 'delete',
        resource,
        path: resourcePath(resource, namespace, name),
        contentType: 'application/json',
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          ...preconditions,
        }),
        repeatable: uid !== undefined,
        fenced: isFenced(resource),
      });
      const left = parse(answer);
      return left.kind === 'Status' ? undefined : left;
    } catch (error) {
      // The name is taken by another object: the one that was meant is gone.
      if (uid === undefined || !(error instanceof ApiError) || error.kind !== 'conflict') throw error;
      throw error.as({ kind: 'gone' });
    }
  }

  async review(
    resource: ReviewResource,
    spec: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#sender.request({
      verb: 'create',
      resource,
      path: resourcePath(resource),
      contentType: 'application/json',
      body: JSON.stringify(withType(resource, { metadata: {}, spec })),
      repeatable: true,
      fenced: false,
    });
    const { status }: { status?: Readonly<Record<string, unknown>> } = JSON.parse(answer);
    return status ?? {};
  }
}

/** The election itself cannot wait for leadership, and Events change nothing anybody acts on. */
function isFenced(resource: StoredResource): boolean {
  return resource !== 'leases' && resource !== 'events';
}

function withType(resource: Resource, body: KubeManifest): KubeManifest {
  return { apiVersion: apiVersionOf(resource), kind: resources[resource].kind, ...body };
}

function parse(text: string): KubeObject {
  const object: KubeObject = JSON.parse(text);
  return object;
}

/** Characters as the API server writes them, in Go: it compares the value of a `test` as text. */
function textOfOperations(operations: readonly JsonPatchOperation[]): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(operations).replace(/[<>&\u2028\u2029]/g, escaped);
}
