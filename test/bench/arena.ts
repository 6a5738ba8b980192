// Where controllers are measured: one real API server, one load actor, one watch; fresh namespaces for each piece of
// work, so that nothing a controller left behind meets the next one. Measures nothing itself.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer, type ApiServer } from '../support/api-server.ts';
import { ApiClient, inParallel, taskRunsOf, type ApiAccess, type Raw } from './api-client.ts';
import { AuditLog } from './audit-log.ts';
import { ClusterView } from './cluster-view.ts';
import { Contender, type ContenderPlan } from './contender.ts';
import { foreignNamespace } from './foreign-task-run.ts';
import type { Order } from './load-actor.ts';
import { WorkPlace } from './work-place.ts';

export class Arena {
  readonly client: ApiClient;
  readonly view = new ClusterView();
  readonly audit: AuditLog;
  readonly #api: ApiServer;
  readonly #folder: string;
  readonly #actor: ChildProcess;
  #foreign = 0;
  #places = 0;

  private constructor(api: ApiServer, audit: AuditLog, folder: string, access: ApiAccess) {
    this.#api = api;
    this.audit = audit;
    this.#folder = folder;
    this.client = new ApiClient(access);
    this.#actor = fork(join(import.meta.dirname, 'load-actor.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    void this.view.follow(this.client).catch((error: unknown) => {
      if (!this.#stopped) throw error;
    });
  }

  static async open(): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'));
    const { log, flags } = await AuditLog.prepare(folder, ['ours', 'other']);
    // As it is where controllers run.
    process.env['GOGC'] ??= '100';
    const api = await startApiServer(flags);
    const { certificate: cert, key } = api.admin;
    const access = { url: api.url, ca: api.authority.certificate, cert, key };
    const arena = new Arena(api, log, folder, access);
    await arena.order({ type: 'start', access });
    await api.createNamespace(foreignNamespace);
    return arena;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#actor.disconnect();
    await this.client.close();
    await this.#api.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async planFor(name: ContenderPlan['name'], command: string): Promise<ContenderPlan> {
    const kubeconfig = await this.#api.writeKubeconfig({ user: name, groups: ['system:masters'] });
    return { name, command, kubeconfig, user: name };
  }

  /** Resolves when the actor has done it. */
  async order(order: Order): Promise<void> {
    this.#actor.send(order);
    await once(this.#actor, 'message');
  }

  /** Does the work while provision TaskRuns go on: what happens when they end is not part of it. */
  async whileProvisioning<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.order({ type: 'hold' });
    try {
      return await work();
    } finally {
      await this.order({ type: 'release' });
    }
  }

  /** From now on there are at least so many foreign TaskRuns. */
  async foreign(count: number): Promise<void> {
    if (count > this.#foreign) await this.order({ type: 'foreign', from: this.#foreign, to: count });
    this.#foreign = Math.max(this.#foreign, count);
  }

  /** A fresh operator namespace with hosts, and a fresh namespace for builds. */
  async place(hosts: number, slots: number): Promise<WorkPlace> {
    this.#places += 1;
    this.view.begin(slots);
    const place = new WorkPlace(this, `operator-${this.#places}`, `team-${this.#places}`);
    await place.furnish(hosts, slots);
    return place;
  }

  async start(plan: ContenderPlan, place: WorkPlace): Promise<Contender> {
    const logFile = join(this.#folder, `${plan.name}-${place.operator}.log`);
    return Contender.start(plan, { namespace: place.operator, logFile });
  }

  async logOf(plan: ContenderPlan, place: WorkPlace): Promise<string> {
    return readFile(join(this.#folder, `${plan.name}-${place.operator}.log`), 'utf8');
  }

  /** Removes every TaskRun there, whatever finalizers somebody left. */
  async clear(namespace: string): Promise<void> {
    const path = taskRunsOf(namespace);
    const { items }: { items: Raw[] } = await this.client.ask('GET', path);
    await inParallel(items, 16, async ({ metadata }) => {
      const one = `${path}/${metadata.name}`;
      await this.client.ask('PATCH', one, { metadata: { finalizers: null } }).catch(() => undefined);
      await this.client.ask('DELETE', one).catch(() => undefined);
    });
  }

  #stopped = false;
}
