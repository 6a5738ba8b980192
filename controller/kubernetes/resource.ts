// The kinds of object the controller ever asks the API for, and where each lives. A closed list: adding a line here
// also means a line in permissions.ts.

interface ResourceType {
  /** '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const resources = {
  taskruns: { group: 'tekton.dev', version: 'v1', kind: 'TaskRun', namespaced: true },
  tasks: { group: 'tekton.dev', version: 'v1', kind: 'Task', namespaced: true },
  configmaps: { group: '', version: 'v1', kind: 'ConfigMap', namespaced: true },
  secrets: { group: '', version: 'v1', kind: 'Secret', namespaced: true },
  pods: { group: '', version: 'v1', kind: 'Pod', namespaced: true },
  events: { group: '', version: 'v1', kind: 'Event', namespaced: true },
  leases: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', namespaced: true },
  tokenreviews: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', namespaced: false },
  subjectaccessreviews: {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SubjectAccessReview',
    namespaced: false,
  },
} as const satisfies Record<string, ResourceType>;

export type Resource = keyof typeof resources;
/** Questions to the API server: created, answered in the response, never stored. */
export type ReviewResource = 'tokenreviews' | 'subjectaccessreviews';
export type StoredResource = Exclude<Resource, ReviewResource>;

/** `tekton.dev/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: Resource): string {
  const { group, version } = resources[resource];
  return group === '' ? version : `${group}/${version}`;
}

/** Path on the API server; without a namespace it means all of them. */
export function resourcePath(resource: Resource, namespace?: string, name?: string): string {
  const apiVersion = apiVersionOf(resource);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const leaf = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${resource}${leaf}`;
}
