// Namespaces, hosts and builds for one piece of work: the part of the people who run builds, and of Tekton where it
// takes builds up and ends them.
import { taskRunsOf, inParallel } from './api-client.ts';
import type { Arena } from './arena.ts';

export const platform = 'linux/arm64';
const sshSecret = 'ssh-key';

export class WorkPlace {
  readonly operator: string;
  readonly team: string;
  readonly #arena: Arena;
  #builds = 0;

  constructor(arena: Arena, operator: string, team: string) {
    this.#arena = arena;
    this.operator = operator;
    this.team = team;
  }

  async furnish(hosts: number, slots: number): Promise<void> {
    const { client } = this.#arena;
    for (const name of [this.operator, this.team])
      await client.ask('POST', '/api/v1/namespaces', { metadata: { name } });
    const data: Record<string, string> = {};
    for (let nth = 1; nth <= hosts; nth += 1) {
      const fields = {
        address: `10.0.0.${nth}`,
        user: 'builder',
        platform,
        secret: sshSecret,
        concurrency: String(slots),
      };
      for (const [field, value] of Object.entries(fields)) data[`host.host-${nth}.${field}`] = value;
    }
    const namespace = `/api/v1/namespaces/${this.operator}`;
    await client.ask('POST', `${namespace}/configmaps`, {
      metadata: { name: 'host-config', labels: { 'build.appstudio.redhat.com/multi-platform-config': 'hosts' } },
      data,
    });
    await client.ask('POST', `${namespace}/secrets`, {
      metadata: { name: sshSecret, labels: { 'build.appstudio.redhat.com/multi-platform-secret': 'true' } },
      type: 'Opaque',
      stringData: { id_rsa: 'key' },
    });
  }

  /** A TaskRun that Tekton has not looked at. */
  async create(): Promise<string> {
    this.#builds += 1;
    const name = `build-${this.#builds}`;
    await this.#arena.client.ask('POST', taskRunsOf(this.team), {
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: { name, labels: { bench: 'build' } },
      spec: { params: [{ name: 'PLATFORM', value: platform }], taskRef: { name: 'buildah-remote' } },
    });
    return name;
  }

  /** Tekton takes it up: from now on it wants a host. */
  async arrive(name: string): Promise<void> {
    const volumes = [{ name: 'ssh', secret: { secretName: `multi-platform-ssh-${name}`, optional: false } }];
    const condition = { type: 'Succeeded', status: 'Unknown', reason: 'Running', message: 'not all Steps are done' };
    await this.#status(name, {
      podName: `${name}-pod`,
      conditions: [condition],
      taskSpec: { steps: [{ name: 'build', image: 'builder', script: 'true' }], volumes },
    });
  }

  async build(): Promise<string> {
    const name = await this.create();
    await this.arrive(name);
    return name;
  }

  /** The build's pod, as Tekton makes it; only some work needs it. */
  async pod(name: string): Promise<void> {
    const { uid } = (await this.#arena.client.ask('GET', `${taskRunsOf(this.team)}/${name}`)).metadata;
    const owner = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name, uid, controller: true };
    await this.#arena.client.ask('POST', `/api/v1/namespaces/${this.team}/pods`, {
      metadata: { name: `${name}-pod`, labels: { 'tekton.dev/taskRun': name }, ownerReferences: [owner] },
      spec: { containers: [{ name: 'step-build', image: 'builder' }] },
    });
  }

  async end(name: string): Promise<void> {
    const condition = { type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'All Steps have completed' };
    const completionTime = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    await this.#status(name, { completionTime, conditions: [condition] });
  }

  async provisioned(name: string, within?: number): Promise<boolean> {
    return this.#arena.view.until(() => this.times(name).provisioned !== undefined, within);
  }

  times(name: string): ReturnType<Arena['view']['times']> {
    return this.#arena.view.times(this.team, name);
  }

  /** Ends what runs, waits until the controller has put its things away, and removes the rest. */
  async leave(names: readonly string[], tidyWithin = 20_000): Promise<void> {
    const running = names.filter((name) => this.times(name).ended === undefined);
    await inParallel(running, 16, async (name) => this.end(name));
    await this.#arena.view.until(() => this.#arena.view.ownIn(this.operator) === 0, tidyWithin);
  }

  /** After the controller has ended. */
  async remove(): Promise<void> {
    for (const namespace of [this.team, this.operator]) await this.#arena.clear(namespace);
  }

  async #status(name: string, status: object): Promise<void> {
    await this.#arena.client.ask('PATCH', `${taskRunsOf(this.team)}/${name}/status`, { status });
  }
}
