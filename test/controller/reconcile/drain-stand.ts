// A drain on a cluster in memory, with a clock the test moves. Tekton is played: TaskRuns of ours end two seconds after
// they were made, or when they are cancelled, as the test says.
import type { KubeObject } from '../../../controller/kubernetes/cluster.ts';
import { defaultKeepTimes } from '../../../controller/lease/timeouts.ts';
import type { Action } from '../../../controller/model/action.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { BuildReconciler } from '../../../controller/reconcile/build-reconciler.ts';
import { Drain, type DrainOutcome } from '../../../controller/reconcile/drain.ts';
import { DrainView } from '../../../controller/reconcile/drain-view.ts';
import {
  aTaskRun,
  endedStatus,
  installation,
  operatorNamespace,
  readOwn,
  type TaskRunBuilder,
} from '../../support/builders.ts';
import { MemoryStand } from '../../support/memory-stand.ts';

export class DrainStand extends MemoryStand {
  readonly logged: string[] = [];
  /** How a TaskRun of ours ends; undefined: not at all. */
  ending: (taskRun: OwnTaskRun) => 'succeeded' | 'failed' | undefined = () => 'succeeded';
  readonly #view = new DrainView(this.taskRuns);
  readonly #builds = new BuildReconciler({
    taskRuns: this.#view,
    hasReported: () => false,
    // There is no host-config: nobody can tell what a label stands for.
    knownHosts: {
      labelled: () => ({ to: 'unknown' }),
      mayHold: () => true,
      isConfigured: () => true,
      launchedPool: () => undefined,
    },
    perform: this.perform,
    clock: this.clock,
    installation: () => installation,
    keep: defaultKeepTimes,
  });
  readonly #drain: Drain;
  readonly #stop = new AbortController();

  constructor(patience = 0, timeout = 10 * minute) {
    super();
    this.taskRuns.onChange((before, after) => this.#builds.noteChange(before, after));
    this.cluster.watch('taskruns', ({ type, object }) => {
      if (type === 'ADDED') void this.#play(object);
    });
    const log = (severity: string, message: string): void => void this.logged.push(`${severity}: ${message}`);
    const { clock, taskRuns, perform } = this;
    const endPools = async (): Promise<void> => undefined;
    const parts = { taskRuns, view: this.#view, builds: this.#builds, perform, endPools };
    this.#drain = new Drain({ ...parts, clock, log, patience, timeout });
  }

  override noteDone(action: Action): void {
    this.#builds.noteDone(action);
  }

  /** A build in its namespace, as far as the builder brings it. */
  put(name: string, state: (build: TaskRunBuilder) => TaskRunBuilder): void {
    const raw = (uid: string): ReturnType<TaskRunBuilder['raw']> =>
      state(
        aTaskRun()
          .named(name)
          .with(({ metadata }) => (metadata['uid'] = uid))
          .forPlatform('linux/arm64'),
      ).raw();
    const { spec, status } = raw('');
    const { uid } = this.cluster.put('taskruns', 'team-a', { metadata: { name }, spec, status }).metadata;
    // The facts are signed for the uid the cluster gives it.
    const { annotations, labels, finalizers } = raw(uid).metadata;
    this.cluster.change('taskruns', 'team-a', name, ({ metadata }) =>
      Object.assign(metadata, { annotations, labels, finalizers }),
    );
    this.cluster.put('secrets', 'team-a', { metadata: { name: `multi-platform-ssh-${name}` } });
  }

  end(name: string): void {
    this.cluster.change('taskruns', 'team-a', name, (object) => {
      object['status'] = { ...Object(object['status']), ...endedStatus('succeeded', this.clock.now()) };
    });
  }

  /** A TaskRun of ours as it was before the drain. */
  putOwn(builder: { raw: () => { metadata: Record<string, unknown> } }): void {
    const raw = builder.raw();
    const metadata = { ...raw.metadata, name: String(raw.metadata['name']) };
    this.cluster.put('taskruns', operatorNamespace, { ...raw, metadata });
  }

  /** Runs it until it ends, at most this long. */
  async run(atMost = 60 * minute): Promise<DrainOutcome> {
    const ended = new AbortController();
    const running = this.#drain.run(this.#stop.signal).finally(() => ended.abort());
    const until = this.clock.now() + atMost;
    while (!ended.signal.aborted && this.clock.now() < until) await this.clock.advance(second);
    this.#stop.abort();
    return running;
  }

  /** `name` of everything in the cluster that carries a finalizer of ours. */
  held(): string[] {
    const all = this.cluster.all('taskruns');
    return all.filter(({ metadata }) => (metadata.finalizers ?? []).length > 0).map(({ metadata }) => metadata.name);
  }

  /** Live TaskRuns of ours, by type. */
  ours(): string[] {
    return this.cluster.all('taskruns').flatMap((raw) => readOwn(raw)?.type ?? []);
  }

  secrets(): string[] {
    return this.cluster.all('secrets').map(({ metadata }) => metadata.name);
  }

  async #play(object: KubeObject): Promise<void> {
    const { namespace = '', name, uid } = object.metadata;
    if (readOwn(object) === undefined) return;
    await this.clock.sleep(2 * second, this.#stop.signal);
    const now = this.cluster.find('taskruns', namespace, name);
    const taskRun = now?.metadata.uid === uid ? readOwn(now) : undefined;
    const ending = taskRun?.outcome === 'running' ? (taskRun.cancelled ? 'failed' : this.ending(taskRun)) : undefined;
    if (ending === undefined) return;
    this.cluster.change('taskruns', namespace, name, (it) => {
      it['status'] = { podName: 'pod', ...endedStatus(ending, this.clock.now()) };
    });
  }
}
