// What others do in the small world of leases: Tekton runs what we asked for, well or badly; people end their builds.
// Knows who has a user on which host, so that a forgotten one is found.
import { asArray } from '../../../controller/model/json.ts';
import { secretNameFor } from '../../../controller/model/labels.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { endedStatus, operatorNamespace } from '../../support/builders.ts';
import { leaseOf } from './lease-checks.ts';
import { launchedPools, type LeaseWorld } from './lease-world.ts';

export const provisionFates = ['succeeds', 'fails', 'fails late', 'makes no Secret', 'vanishes', 'is deleted'] as const;
export const launchFates = [
  'succeeds',
  'tells no address',
  'is out of capacity',
  'is refused',
  'fails late',
  'vanishes',
  'is deleted',
] as const;
export const cleanupFates = ['succeeds', 'fails', 'is deleted'] as const;
export const buildEnds = ['succeeds', 'fails', 'is deleted'] as const;

const foreignFinalizer = 'example.com/archive';

export class PlayedTekton {
  /** Users on hosts, by lease. */
  readonly users = new Set<string>();
  /** Leases that were cleaned up: a late provision does nothing there. */
  readonly tombstones = new Set<string>();
  /** Launched hosts that are there, by token: the platform of each. */
  readonly instances = new Map<string, string>();
  /** Tokens of hosts that were terminated: the pod of a TaskRun that is no more does not make them again. */
  readonly #terminated = new Set<string>();
  readonly #world: LeaseWorld;

  constructor(world: LeaseWorld) {
    this.#world = world;
  }

  running(type: OwnTaskRun['type']): OwnTaskRun[] {
    return this.#world.ours(type).filter(({ outcome }) => outcome === 'running');
  }

  provision(target: OwnTaskRun, fate: (typeof provisionFates)[number]): void {
    const lease = leaseOf(target);
    const gone = target.facts?.claim?.provider === 'dynamic' && !this.instances.has(target.host);
    const late = gone || this.tombstones.has(lease);
    if (!late) this.users.add(lease);
    // Its pod goes on, but Tekton never looks at a TaskRun that is being deleted.
    if (target.deleting) return this.#letGo(target);
    switch (fate) {
      case 'fails':
        return this.#end(target, 'failed');
      case 'makes no Secret':
        return this.#end(target, late ? 'failed' : 'succeeded');
      case 'vanishes':
        return this.#world.cluster.remove('taskruns', target.namespace, target.name);
      case 'is deleted':
        return this.#deleteHeld(target);
      case 'succeeds':
      case 'fails late':
        if (late) return this.#end(target, 'failed', 'AlreadyCleaned');
        if (!this.#makeSecret(target)) return this.#end(target, 'failed', 'SecretExists');
        return this.#end(target, fate === 'succeeds' ? 'succeeded' : 'failed');
    }
  }

  cleanup(target: OwnTaskRun, fate: (typeof cleanupFates)[number]): void {
    if (fate === 'is deleted') return this.#world.cluster.remove('taskruns', target.namespace, target.name);
    if (target.deleting) return;
    if (fate === 'fails') return this.#end(target, 'failed');
    if (target.type === 'terminate') this.#terminate(target);
    else this.tombstones.add(leaseOf(target));
    this.users.delete(leaseOf(target));
    this.#end(target, 'succeeded');
  }

  launch(target: OwnTaskRun, fate: (typeof launchFates)[number]): void {
    // Its pod goes on, but Tekton never looks at a TaskRun that is being deleted.
    const makes = fate !== 'is out of capacity' && fate !== 'is refused';
    const unseen = fate === 'vanishes' || fate === 'is deleted' || target.deleting;
    if (makes && (!unseen || !this.#terminated.has(target.host))) this.#makeInstance(target);
    if (target.deleting) return this.#letGo(target);
    if (fate === 'is out of capacity') return this.#end(target, 'failed', 'InsufficientCapacity');
    if (fate === 'is refused') return this.#end(target, 'failed', 'LaunchRefused');
    switch (fate) {
      case 'vanishes':
        return this.#world.cluster.remove('taskruns', target.namespace, target.name);
      case 'is deleted':
        return this.#deleteHeld(target);
      case 'tells no address':
        return this.#end(target, 'succeeded');
      case 'fails late':
        return this.#end(target, 'failed', 'ToyBroken');
      case 'succeeds':
        return this.#endLaunch(target);
    }
  }

  #endLaunch(target: OwnTaskRun): void {
    const preparesItself = target.facts?.claim?.launch?.preparesItself === true;
    if (preparesItself && !this.#makeSecret(target)) return this.#end(target, 'failed', 'SecretExists');
    const { host } = target;
    this.#end(target, 'succeeded', undefined, {
      INSTANCE_ID: `i-${host}`,
      ADDRESS: `${host}.example.com`,
      USER: 'toy',
    });
  }

  /** Its pod takes a while to start. */
  #terminate({ host }: OwnTaskRun): void {
    this.#world.pass(1);
    this.instances.delete(host);
    this.#terminated.add(host);
  }

  #makeInstance({ host, facts }: OwnTaskRun): void {
    const platform = facts?.platform ?? '';
    this.instances.set(host, platform);
    const there = [...this.instances.values()].filter((it) => it === platform).length;
    const most = launchedPools.find((pool) => pool.platform === platform)?.maxInstances ?? 0;
    if (there > most) this.#world.wrong.push(`${there} hosts of platform ${platform} are there at once`);
  }

  endBuild(target: UserTaskRun, how: (typeof buildEnds)[number]): void {
    if (how === 'is deleted') this.#world.cluster.remove('taskruns', target.namespace, target.name);
    else if (target.outcome === 'running') this.#end(target, how === 'fails' ? 'failed' : 'succeeded');
  }

  /** Somebody else's finalizer goes, as an archive does when it is done. */
  #letGo({ namespace, name }: OwnTaskRun): void {
    this.#world.cluster.change('taskruns', namespace, name, ({ metadata }) => {
      metadata['finalizers'] = asArray(metadata['finalizers']).filter((it) => it !== foreignFinalizer);
    });
  }

  #deleteHeld({ namespace, name }: OwnTaskRun): void {
    this.#world.cluster.change('taskruns', namespace, name, ({ metadata }) => {
      metadata['finalizers'] = [...asArray(metadata['finalizers']), foreignFinalizer];
    });
    this.#world.cluster.remove('taskruns', namespace, name);
  }

  #end(
    { namespace, name }: KeptTaskRun,
    ending: 'succeeded' | 'failed',
    reason?: string,
    told: Readonly<Record<string, string>> = reason === undefined ? {} : { REASON: reason },
  ): void {
    const results = Object.entries(told).map(([key, value]) => ({ name: key, value }));
    this.#world.cluster.change('taskruns', namespace, name, (object) => {
      object['status'] = { ...Object(object['status']), ...endedStatus(ending, this.#world.clock.now()), results };
    });
  }

  /** As the provision Task does: owned by the build, never over another one. */
  #makeSecret({ userName, userNamespace, userUid }: OwnTaskRun): boolean {
    const name = secretNameFor(userName);
    if (this.#world.cluster.find('secrets', userNamespace, name) !== undefined) return false;
    const owner = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: userName, uid: userUid };
    this.#world.cluster.put('secrets', userNamespace, { metadata: { name, ownerReferences: [owner] }, data: {} });
    return true;
  }
}

/** What is still there of ours, as sentences; error Secrets stay as long as their build. */
export function leftovers(world: LeaseWorld, tekton: PlayedTekton): string[] {
  world.cluster.collectGarbage();
  const withFacts = world.builds().filter(({ facts }) => facts !== undefined);
  const secrets = world.cluster.all('secrets').filter(({ metadata, ...secret }) => {
    const keys = Object.keys(Object(secret['data'])).join(',');
    // `localhost`, and no key: stays until its build is gone when somebody took the build's facts away.
    const isLocal = keys === 'host' && !withFacts.some(({ name }) => metadata.name === secretNameFor(name));
    return keys !== 'error' && !isLocal;
  });
  return [
    // A user goes with its host, where that was launched.
    ...[...tekton.users].filter((lease) => !lease.includes(' on mp-')).map((lease) => `a user of ${lease}`),
    ...[...tekton.instances].map(([token, platform]) => `host ${token} of ${platform}`),
    ...secrets.map(({ metadata }) => `Secret ${metadata.name}`),
    ...world.cluster
      .all('taskruns')
      .filter(({ metadata }) => metadata.namespace === operatorNamespace)
      .map(({ metadata }) => `TaskRun ${metadata.name}`),
    ...world.builds().flatMap(({ name, hasFinalizer }) => (hasFinalizer ? [`the finalizer of ${name}`] : [])),
  ];
}
