// HostCare on a cluster in memory, with a clock the test moves; builds and what Tekton does to updates come from the test.
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { hour } from '../../../controller/model/instant.ts';
import { HostCare } from '../../../controller/reconcile/host-care.ts';
import { aTaskRun, endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { aHost } from '../../support/host-builders.ts';
import { MemoryStand } from '../../support/memory-stand.ts';

export class CareStand extends MemoryStand {
  readonly care: HostCare;
  /** Outcome, platform and message of everything told. */
  readonly told: string[] = [];
  /** Platforms that were looked at. */
  readonly rung: string[] = [];
  readonly secrets = new Set(['ssh-key']);
  assumed = 0;
  #config: ReturnType<typeof parseHostConfig> | undefined;

  constructor(config: Readonly<Record<string, string>> | undefined) {
    super();
    this.#config = config && parseHostConfig(config);
    this.care = new HostCare({
      taskRuns: this.taskRuns,
      config: () => this.#config,
      hasSshSecret: (name) => this.secrets.has(name),
      assumedOn: () => this.assumed,
      perform: this.perform,
      clock: this.clock,
      operatorNamespace,
      keep: 24 * hour,
      lookAtPlatform: (platform) => void this.rung.push(platform),
      tell: ({ outcome, platform, event }) => void this.told.push(`${outcome} ${platform}: ${event.message}`),
      onError: (error) => this.noteError(error),
    });
    this.taskRuns.onChange((before, after) => this.care.noteChange(before, after));
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
