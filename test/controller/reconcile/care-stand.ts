// HostCare on a cluster in memory, with a clock the test moves; builds and what Tekton does to updates come from the test.
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import { hour } from '../../../controller/model/instant.ts';
import { EventRecorder } from '../../../controller/reconcile/event-recorder.ts';
import { HostCare } from '../../../controller/reconcile/host-care.ts';
import { performWith } from '../../../controller/reconcile/perform.ts';
import { taskRunIndexes, type TaskRuns } from '../../../controller/reconcile/take-snapshot.ts';
import { aTaskRun, endedStatus, operatorNamespace, readBuild, readOwn, testKey } from '../../support/builders.ts';
import { aHost } from '../../support/host-builders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

export class CareStand {
  readonly clock = new ManualClock();
  readonly cluster = new MemoryCluster(this.clock);
  readonly taskRuns: TaskRuns;
  readonly care: HostCare;
  /** Outcome, platform and message of everything told. */
  readonly told: string[] = [];
  /** Platforms that were looked at, and errors. */
  readonly rung: string[] = [];
  readonly errors: string[] = [];
  readonly secrets = new Set(['ssh-key']);
  assumed = 0;
  #config: ReturnType<typeof parseHostConfig> | undefined;

  constructor(config: Readonly<Record<string, string>> | undefined) {
    const onListenerError = (error: unknown): void => void this.errors.push(String(error));
    this.taskRuns = new Cache({ index: taskRunIndexes, onListenerError });
    this.#config = config && parseHostConfig(config);
    this.care = new HostCare({
      taskRuns: this.taskRuns,
      config: () => this.#config,
      hasSshSecret: (name) => this.secrets.has(name),
      assumedOn: () => this.assumed,
      perform: performWith({
        cluster: this.cluster,
        taskRuns: this.taskRuns,
        project: (raw) => readOwn(raw) ?? readBuild(raw),
        leaseKey: testKey,
        events: new EventRecorder(this.cluster, this.clock, onListenerError),
        onDone: () => undefined,
      }),
      clock: this.clock,
      operatorNamespace,
      keep: 24 * hour,
      lookAtPlatform: (platform) => void this.rung.push(platform),
      tell: ({ outcome, platform, event }) => void this.told.push(`${outcome} ${platform}: ${event.message}`),
      onError: (error) => void this.errors.push(String(error)),
    });
    this.taskRuns.onChange((before, after) => this.care.noteChange(before, after));
    this.cluster.watch('taskruns', ({ type, object }) => {
      const kept = readOwn(object) ?? readBuild(object);
      if (kept === undefined) return;
      if (type === 'DELETED') this.taskRuns.deleted(kept);
      else this.taskRuns.applied(kept);
    });
  }

  configure(config: Readonly<Record<string, string>>): void {
    this.#config = parseHostConfig(config);
    this.care.noteConfig();
  }

  /** A build that holds a slot of the host. */
  build(name: string, host: string): void {
    const { metadata, spec, status } = aTaskRun().named(name).forPlatform('linux/arm64').raw();
    // The facts are signed for the uid the cluster gives it.
    const { uid } = this.cluster.put('taskruns', 'team-a', { metadata: { ...metadata, name }, spec, status }).metadata;
    const claimed = aTaskRun()
      .named(name)
      .with((raw) => (raw.metadata['uid'] = uid))
      .forPlatform('linux/arm64')
      .claimed(aHost(host));
    this.cluster.change('taskruns', 'team-a', name, (object) => {
      object.metadata['annotations'] = claimed.raw().metadata['annotations'];
    });
  }

  endBuild(name: string): void {
    this.cluster.change('taskruns', 'team-a', name, (object) => {
      object['status'] = { ...Object(object['status']), ...endedStatus('succeeded', this.clock.now()) };
    });
  }

  /** `host outcome` of each update TaskRun. */
  updates(): string[] {
    return this.#runs().map(({ host, outcome }) => `${host} ${outcome}`);
  }

  /** Tekton starts the update of a host. */
  startUpdate(host: string): void {
    this.#changeRun(host, { podName: 'pod' });
  }

  endUpdate(host: string, ending: 'succeeded' | 'failed', results: Readonly<Record<string, string>> = {}): void {
    const list = Object.entries(results).map(([name, value]) => ({ name, value }));
    this.#changeRun(host, { podName: 'pod', results: list, ...endedStatus(ending, this.clock.now()) });
  }

  #changeRun(host: string, status: object): void {
    const run = this.#runs().find((it) => it.host === host && it.outcome === 'running');
    if (run === undefined) throw new Error(`no update of ${host} runs`);
    this.cluster.change('taskruns', operatorNamespace, run.name, (object) => (object['status'] = status));
  }

  #runs(): NonNullable<ReturnType<typeof readOwn>>[] {
    return this.cluster
      .all('taskruns')
      .flatMap((raw) => readOwn(raw) ?? [])
      .filter(({ type }) => type === 'update');
  }
}
