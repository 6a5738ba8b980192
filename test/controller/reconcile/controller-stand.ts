// The controller's own shell on a cluster in memory, with a clock the test moves and a watch that may lag. Counts, at
// every change of an object, how many builds hold a slot of each host, and keeps the worst.
import { Writable } from 'node:stream';
import { defaultKeepTimes } from '../../../controller/lease/timeouts.ts';
import { second } from '../../../controller/model/instant.ts';
import { asTextMap } from '../../../controller/model/json.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { Controller } from '../../../controller/reconcile/controller.ts';
import { holdsSlot } from '../../../controller/reconcile/take-snapshot.ts';
import { readSshSecret } from '../../../controller/reconcile/ssh-secrets.ts';
import { createLogger } from '../../../controller/telemetry/logger.ts';
import { Metrics } from '../../../controller/telemetry/metrics.ts';
import { aTaskRun, endedStatus, operatorNamespace, readBuild, readOwn, testKey } from '../../support/builders.ts';
import { DelayedWatch } from '../../support/delayed-watch.ts';
import { start } from '../../support/host-builders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

/** Builds of before are an older controller's, if they say so. */
export const keyMade = start + second;

export class ControllerStand {
  readonly clock = new ManualClock();
  readonly cluster = new MemoryCluster(this.clock);
  readonly watch: DelayedWatch;
  controller: Controller;
  /** Of the controller made last. */
  metrics = new Metrics(() => this.controller.collect());
  /** Most builds ever seen on each host at once. */
  readonly worst = new Map<string, number>();
  readonly #holders = new Map<string, string>();
  #hostConfig: Readonly<Record<string, string>> | undefined;

  constructor(hostConfig: Readonly<Record<string, string>> | undefined, sshSecrets: readonly string[] = ['ssh-key']) {
    this.controller = this.#newController();
    this.watch = new DelayedWatch(this.cluster, 'taskruns', this.clock, ({ type, object }) => {
      const { taskRuns, project } = this.controller.state;
      const kept = project(object);
      if (kept === undefined) return;
      if (type === 'DELETED') taskRuns.deleted(kept);
      else taskRuns.applied(kept);
    });
    this.cluster.watch('taskruns', ({ type, object }) => this.#count(readBuild(object), type === 'DELETED'));
    for (const name of sshSecrets) this.addSshSecret(name);
    this.configure(hostConfig);
  }

  addSshSecret(name: string): void {
    const data = { id_rsa: 'a2V5' };
    const secret = this.cluster.put('secrets', operatorNamespace, { metadata: { name }, data });
    this.controller.state.sshSecrets.applied(readSshSecret(secret));
  }

  /** Another process, which reads all there is. The one before has been stopped. */
  renew(): void {
    this.controller = this.#newController();
    const { state } = this.controller;
    const kept = this.cluster.all('taskruns').flatMap((raw) => state.project(raw) ?? []);
    state.taskRuns.replace(state.taskRuns.relisting(), kept);
    for (const secret of this.cluster.all('secrets'))
      if (secret.metadata.namespace === operatorNamespace) state.sshSecrets.applied(readSshSecret(secret));
    this.configure(this.#hostConfig);
  }

  /** Another replica, which reads all there is and follows the watch, but does not act. */
  addStandby(): Controller {
    const active = this.controller;
    this.renew();
    const standby = this.controller;
    this.controller = active;
    const { taskRuns, project } = standby.state;
    this.cluster.watch('taskruns', ({ type, object }) => {
      const kept = project(object);
      if (kept === undefined) return;
      if (type === 'DELETED') taskRuns.deleted(kept);
      else taskRuns.applied(kept);
    });
    return standby;
  }

  configure(data: Readonly<Record<string, string>> | undefined): void {
    this.#hostConfig = data;
    const metadata = { name: 'host-config', namespace: operatorNamespace, uid: 'config', resourceVersion: '1' };
    this.controller.noteHostConfig(data === undefined ? undefined : { metadata, data });
  }

  create(name: string, platform = 'linux/arm64', namespace = 'team-a'): string {
    const { metadata, spec, status } = aTaskRun().forPlatform(platform).withPod(`${name}-pod`).raw();
    const { creationTimestamp: _, ...rest } = metadata;
    return this.cluster.put('taskruns', namespace, { metadata: { ...rest, name }, spec, status }).metadata.uid;
  }

  end(name: string, namespace = 'team-a'): void {
    const ending = endedStatus('succeeded', this.clock.now());
    this.cluster.change('taskruns', namespace, name, (object) => {
      object['status'] = { ...Object(object['status']), ...ending };
    });
  }

  build(name: string, namespace = 'team-a'): UserTaskRun {
    const raw = this.cluster.find('taskruns', namespace, name);
    const kept = raw && readBuild(raw);
    if (kept === undefined) throw new Error(`no build ${name}`);
    return kept;
  }

  builds(): UserTaskRun[] {
    return this.cluster.all('taskruns').flatMap((raw) => readBuild(raw) ?? []);
  }

  /** Name → host, of those that hold a slot. */
  placed(): Record<string, string> {
    const placed = this.builds().flatMap(({ name, facts }): [string, string][] =>
      facts?.claim === undefined ? [] : [[name, facts.claim.host]],
    );
    return Object.fromEntries(placed);
  }

  /** What the error Secret of a build says; undefined while there is none. */
  errorOf(name: string, namespace = 'team-a'): string | undefined {
    const data = asTextMap(this.cluster.find('secrets', namespace, `multi-platform-ssh-${name}`)?.['data']);
    return data['error'] === undefined ? undefined : Buffer.from(data['error'], 'base64').toString();
  }

  /** Live provision TaskRuns, by build. */
  provisions(): string[] {
    const own = this.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
    return own.filter(({ type, outcome }) => type === 'provision' && outcome === 'running').map((it) => it.userName);
  }

  async stop(): Promise<number> {
    const stopped = this.controller.stop();
    await this.clock.advance(60_000);
    await stopped;
    return this.clock.sleeping;
  }

  #newController(): Controller {
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    this.metrics = new Metrics(() => this.controller.collect());
    const common = {
      namespace: operatorNamespace,
      leaseKey: { secret: testKey, created: keyMade },
      workers: 8,
      isLeader: () => true,
    };
    const options = { ...common, keep: defaultKeepTimes, cluster: this.cluster, clock: this.clock };
    return new Controller({ ...options, logger: createLogger({ level: 'error', output }) }, this.metrics);
  }

  #count(build: UserTaskRun | undefined, deleted: boolean): void {
    if (build === undefined) return;
    const host = !deleted && holdsSlot(build) ? build.facts?.claim?.host : undefined;
    if (host === undefined) this.#holders.delete(build.uid);
    else this.#holders.set(build.uid, host);
    for (const name of new Set(this.#holders.values())) {
      const now = [...this.#holders.values()].filter((it) => it === name).length;
      this.worst.set(name, Math.max(now, this.worst.get(name) ?? 0));
    }
  }
}
