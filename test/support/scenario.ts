// A scenario: a real API server, our controller on it, and the test in the parts of Tekton and of the people around.
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from './api-server.ts';
import { startController, type ControllerProcess, type StartOptions } from './controller-process.ts';
import { configLabels, deleteHostConfig, replaceHostConfig, untilKnown } from './host-config-changes.ts';
import { Invariants } from './invariants.ts';
import { lendApiServer, takeBackApiServer } from './lent-api-server.ts';
import { paramOf, type Raw } from './observed-task-run.ts';
import type { ProviderTaskBuilder } from './provider-builders.ts';
import { RequestRefused } from './request-refused.ts';
import { endedStatus, runningStatus, type Ending } from './task-run-status.ts';
import { userTaskRun, type BuildOptions } from './user-task-run.ts';
import { WatchedTaskRuns } from './watched-task-runs.ts';

export type { Raw } from './observed-task-run.ts';

export const operatorNamespace = 'multi-platform-controller';

const taskRunsOf = (namespace: string): string => `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`;
/** Of each controller's log. */
const lastLines = 20;

export type OurType = 'provision' | 'clean' | 'launch' | 'terminate';

/** Begins with `begin`. */
export class Scenario {
  #api: ApiServer | undefined;
  #watched: WatchedTaskRuns | undefined;
  #invariants: Invariants | undefined;
  #controllers: ControllerProcess[] = [];
  readonly #end = new AbortController();
  /** Changes to host-config wait until this controller knows them. */
  configReader: ControllerProcess | undefined;

  static async start(): Promise<Scenario> {
    const scenario = new Scenario();
    await scenario.begin();
    return scenario;
  }

  async begin(): Promise<void> {
    this.#api = await lendApiServer();
    await this.#api.createNamespace(operatorNamespace);
    this.#watched = await WatchedTaskRuns.start(this.#api);
    this.#invariants = new Invariants(this.#watched);
  }

  get api(): ApiServer {
    return begun(this.#api);
  }

  /** All TaskRuns, from a connection of its own. */
  get watched(): WatchedTaskRuns {
    return begun(this.#watched);
  }

  /** What must hold all the time, checked all the time; its slots follow host-config. */
  get invariants(): Invariants {
    return begun(this.#invariants);
  }

  /** Nothing is to go on for its sake once this says so: also what a test that failed still waits for. */
  get end(): AbortSignal {
    return this.#end.signal;
  }

  async startController(options: Partial<StartOptions> = {}): Promise<ControllerProcess> {
    const started = await startController({
      kubeconfig: this.api.kubeconfig,
      namespace: operatorNamespace,
      ...options,
    });
    this.#controllers.push(started);
    return started;
  }

  async stopControllers(): Promise<void> {
    await Promise.all(this.#controllers.map((controller) => controller.kill()));
    this.#controllers = [];
  }

  /** For a test that failed: what the controllers said last, and what TaskRuns are like. */
  explain(): string {
    const lines = this.#controllers.flatMap((controller) => controller.log().slice(-lastLines));
    const taskRuns = this.watched.all.map(({ metadata, status }) => {
      const { namespace, name, deletionTimestamp, finalizers, labels, annotations } = metadata;
      const condition = status?.conditions?.[0];
      return { namespace, name, deletionTimestamp, finalizers, labels, annotations, condition };
    });
    return [...lines, ...taskRuns.slice(-lastLines)].map((it) => JSON.stringify(it).slice(0, 500)).join('\n');
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.stopControllers();
    try {
      await this.#watched?.stop();
    } finally {
      if (this.#api !== undefined) await takeBackApiServer(this.#api);
    }
  }

  /** Nothing is left of any build, and nothing was ever wrong. */
  async expectNothingLeft(): Promise<void> {
    await eventually(async () => (await this.invariants.leftovers(this.api)).length === 0);
    expect(this.invariants.violations).to.deep.equal([]);
  }

  /** Replaces host-config. */
  async hostConfig(
    data: Readonly<Record<string, string>>,
    labels: Record<string, string> = configLabels,
  ): Promise<void> {
    this.invariants.noteHostConfig(data);
    await untilKnown(this.configReader, () => replaceHostConfig(this, data, labels));
  }

  async removeHostConfig(): Promise<void> {
    await untilKnown(this.configReader, () => deleteHostConfig(this));
  }

  async sshSecret(name: string, labels: Record<string, string> = secretLabels): Promise<void> {
    const body = { metadata: { name, labels }, type: 'Opaque', stringData: { id_rsa: 'a key' } };
    await this.api.ask('POST', `/api/v1/namespaces/${operatorNamespace}/secrets`, body);
  }

  /** Tasks of a provider, in the operator namespace. */
  async tasks(tasks: readonly ProviderTaskBuilder[]): Promise<void> {
    const path = `/apis/tekton.dev/v1/namespaces/${operatorNamespace}/tasks`;
    for (const task of tasks) await this.api.ask('POST', path, task.manifest());
  }

  /** A user TaskRun as Tekton leaves it a moment after its creation: status.taskSpec and podName are set. */
  async build(namespace: string, name: string, platform: string | undefined, options: BuildOptions = {}): Promise<Raw> {
    const { taskRun, status } = userTaskRun(namespace, name, platform, options);
    const created = await this.api.ask('POST', taskRunsOf(namespace), taskRun);
    if (options.pod === true) await this.pod(namespace, `${name}-pod`, name);
    await this.status(namespace, name, { ...status, ...runningStatus() });
    return created;
  }

  /** Merges into /status of a TaskRun: the part of Tekton. With `version`: only if it is still that one. */
  async status(namespace: string, name: string, status: object, version?: string): Promise<void> {
    // The definition of TaskRuns wants podName as soon as there is a status.
    const whole = { podName: `${name}-pod`, ...status };
    const metadata = version === undefined ? {} : { resourceVersion: version };
    await this.api.ask('PATCH', `${taskRunsOf(namespace)}/${name}/status`, { metadata, status: whole });
  }

  async finish(
    namespace: string,
    name: string,
    ending: Ending,
    results: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.status(namespace, name, endedStatus(ending, results));
  }

  /** What a provision TaskRun does for its build: the Secret, then success. */
  async provision(taskRun: Raw): Promise<void> {
    await this.buildSecret(taskRun);
    await this.finish(operatorNamespace, taskRun.metadata.name, 'succeeded');
  }

  /** The Secret a provision TaskRun makes. */
  async buildSecret(taskRun: Raw): Promise<void> {
    const param = (name: string): string => paramOf(taskRun, name);
    const name = param('TASKRUN_NAME');
    const ownerReferences = [{ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name, uid: param('TASKRUN_UID') }];
    const metadata = { name: param('SECRET_NAME'), labels: secretLabels, ownerReferences };
    const stringData = { id_rsa: 'key', host: `u-1@${param('HOST')}\n`, 'user-dir': '/home/u-1\n' };
    const path = `/api/v1/namespaces/${param('NAMESPACE')}/secrets`;
    await this.api.ask('POST', path, { metadata, type: 'Opaque', stringData });
  }

  /** A pod nobody runs. */
  async pod(namespace: string, name: string, taskRun: string): Promise<void> {
    const metadata = { name, labels: { 'tekton.dev/taskRun': taskRun } };
    const spec = { containers: [{ name: 'step-build', image: 'builder' }] };
    await this.api.ask('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata, spec });
  }

  async podAnnotations(namespace: string, name: string): Promise<Record<string, string>> {
    const pod = await this.api.ask('GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
    return pod.metadata.annotations ?? {};
  }

  async taskRun(namespace: string, name: string): Promise<Raw> {
    return this.try('GET', `${taskRunsOf(namespace)}/${name}`);
  }

  /** TaskRuns of ours, of one type. */
  async ours(type: OurType | 'update'): Promise<Raw[]> {
    const selector = encodeURIComponent(`build.appstudio.redhat.com/task-type=${type}`);
    return (await this.api.ask('GET', `${taskRunsOf(operatorNamespace)}?labelSelector=${selector}`)).items;
  }

  async secret(namespace: string, name: string): Promise<Raw> {
    return this.try('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`);
  }

  async events(namespace: string): Promise<Raw[]> {
    return (await this.api.ask('GET', `/api/v1/namespaces/${namespace}/events`)).items;
  }

  /** Merges into a TaskRun, as its owner may; resolves once the watch knows it: nobody goes by how it was before. */
  async change(namespace: string, name: string, change: object): Promise<void> {
    const { metadata } = await this.api.ask('PATCH', `${taskRunsOf(namespace)}/${name}`, change);
    const isOlder = (it: Raw): boolean =>
      it.metadata.uid === metadata.uid && Number(it.metadata.resourceVersion) < Number(metadata.resourceVersion);
    await this.watched.until((all) => !all.some((it) => isOlder(it)));
  }

  async remove(namespace: string, name: string): Promise<void> {
    await this.api.ask('DELETE', `${taskRunsOf(namespace)}/${name}`);
  }

  /** Undefined where there is no such object. */
  async try(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object): Promise<Raw> {
    try {
      return await this.api.ask(method, path, body);
    } catch (error) {
      if (error instanceof RequestRefused && error.status === 404) return undefined;
      throw error;
    }
  }
}

const secretLabels = { 'build.appstudio.redhat.com/multi-platform-secret': 'true' };

function begun<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('this scenario has not begun');
  return part;
}

/** Polls until it returns something; the test's own time-out ends it otherwise. */
export async function eventually<Value>(what: () => Promise<Value | undefined | false | null>): Promise<Value> {
  for (;;) {
    const value = await what();
    if (value !== undefined && value !== false && value !== null) return value;
    await sleep(20);
  }
}
