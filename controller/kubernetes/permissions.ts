// Everything the controller may ask of the API, as data. deploy's RBAC is proved equal to this list, and code that needs
// more adds a line here first.
import type { Resource } from './resource.ts';

export type PermissionVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface Permission {
  readonly resource: Resource;
  readonly verbs: readonly PermissionVerb[];
  /** 'cluster': every namespace. 'operator-namespace': only where the controller itself runs. */
  readonly scope: 'cluster' | 'operator-namespace';
  readonly why: string;
}

export const permissions: readonly Permission[] = [
  {
    resource: 'taskruns',
    verbs: ['get', 'list', 'watch', 'patch'],
    scope: 'cluster',
    why: 'builds are found, claimed and released by patches; none is ever made or deleted outside our namespace',
  },
  {
    resource: 'secrets',
    verbs: ['create', 'delete'],
    scope: 'cluster',
    why: 'the Secret of a build; nobody else’s can be read, a dry-run create tells whether a name is taken',
  },
  {
    resource: 'pods',
    verbs: ['patch'],
    scope: 'cluster',
    why: 'an annotation makes the kubelet look for the Secret at once',
  },
  {
    resource: 'events',
    verbs: ['create'],
    scope: 'cluster',
    why: 'Events stand in the namespace of their build',
  },
  { resource: 'tokenreviews', verbs: ['create'], scope: 'cluster', why: 'who asks for metrics' },
  { resource: 'subjectaccessreviews', verbs: ['create'], scope: 'cluster', why: 'whether they may have them' },
  {
    resource: 'taskruns',
    verbs: ['create', 'delete'],
    scope: 'operator-namespace',
    why: 'provision, cleanup, update, launch, terminate and list TaskRuns',
  },
  {
    resource: 'tasks',
    verbs: ['list', 'watch'],
    scope: 'operator-namespace',
    why: 'what a provider’s Tasks take',
  },
  { resource: 'configmaps', verbs: ['list', 'watch'], scope: 'operator-namespace', why: 'host-config' },
  {
    resource: 'secrets',
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    scope: 'operator-namespace',
    why: 'ssh keys of hosts (names only), the key that signs facts, stored keys of builds',
  },
  {
    resource: 'events',
    verbs: ['list', 'watch'],
    scope: 'operator-namespace',
    why: 'provision and launch TaskRuns tell that the Secret is there, or why they wait, before they end',
  },
  { resource: 'leases', verbs: ['get', 'create', 'update'], scope: 'operator-namespace', why: 'leader election' },
];
