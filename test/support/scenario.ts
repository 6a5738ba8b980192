// A scenario: a real API server, our controller on it, and the test in the parts of Tekton and of the people around.
import { setTimeout as sleep } from 'node:timers/promises';
import { startApiServer, type ApiServer } from './api-server.ts';
import { startController, type ControllerProcess, type StartOptions } from './controller-process.ts';

export const operatorNamespace = 'multi-platform-controller';

/** JSON as it came; tests read what they name. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Raw = any;

const taskRunsOf = (namespace: string): string => `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`;

export class Scenario {
  readonly api: ApiServer;
  #controllers: ControllerProcess[] = [];

  private constructor(api: ApiServer) {
    this.api = api;
  }

  static async start(): Promise<Scenario> {
    const api = await startApiServer();
    await api.createNamespace(operatorNamespace);
    return new Scenario(api);
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

  async stop(): Promise<void> {
    await this.stopControllers();
    await this.api.stop();
  }

  /** Replaces host-config. */
  async hostConfig(data: Readonly<Record<string, string>>): Promise<void> {
    const path = `/api/v1/namespaces/${operatorNamespace}/configmaps`;
    const labels = { 'build.appstudio.redhat.com/multi-platform-config': 'hosts' };
    const body = { metadata: { name: 'host-config', labels }, data };
    await this.api.ask('DELETE', `${path}/host-config`).catch(() => undefined);
    await this.api.ask('POST', path, body);
  }

  async sshSecret(name: string): Promise<void> {
    const labels = { 'build.appstudio.redhat.com/multi-platform-secret': 'true' };
    const body = { metadata: { name, labels }, type: 'Opaque', stringData: { id_rsa: 'a key' } };
    await this.api.ask('POST', `/api/v1/namespaces/${operatorNamespace}/secrets`, body);
  }

  /** A user TaskRun as Tekton leaves it a moment after its creation: status.taskSpec and podName are set. */
  async build(namespace: string, name: string, platform: string | undefined): Promise<Raw> {
    const params = platform === undefined ? [] : [{ name: 'PLATFORM', value: platform }];
    const body = {
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: { name, namespace },
      spec: { params, taskRef: { name: 'buildah-remote' } },
    };
    const created = await this.api.ask('POST', taskRunsOf(namespace), body);
    const secret = { secretName: `multi-platform-ssh-${name}` };
    const taskSpec = {
      steps: [{ name: 'build', image: 'builder', script: 'true' }],
      volumes: [{ name: 'ssh', secret }],
    };
    await this.status(namespace, name, {
      taskSpec,
      podName: `${name}-pod`,
      conditions: [condition('Unknown', 'Running')],
    });
    return created;
  }

  /** Merges into /status of a TaskRun: the part of Tekton. */
  async status(namespace: string, name: string, status: object): Promise<void> {
    // The definition of TaskRuns wants podName as soon as there is a status.
    const whole = { podName: `${name}-pod`, ...status };
    await this.api.ask('PATCH', `${taskRunsOf(namespace)}/${name}/status`, { status: whole });
  }

  async finish(
    namespace: string,
    name: string,
    outcome: 'succeeded' | 'failed',
    results: Record<string, string> = {},
  ): Promise<void> {
    await this.status(namespace, name, {
      conditions: [condition(outcome === 'succeeded' ? 'True' : 'False', outcome)],
      completionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      results: Object.entries(results).map(([key, value]) => ({ name: key, type: 'string', value })),
    });
  }

  /** What a provision TaskRun does for its build: the Secret, then success. */
  async provision(taskRun: Raw): Promise<void> {
    const { namespace, name, uid } = readBuild(taskRun);
    const ownerReferences = [{ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name, uid }];
    const metadata = { name: `multi-platform-ssh-${name}`, ownerReferences };
    const stringData = { id_rsa: 'key', host: 'u-1@host\n', 'user-dir': '/home/u-1\n' };
    await this.api.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata, type: 'Opaque', stringData });
    await this.finish(operatorNamespace, taskRun.metadata.name, 'succeeded');
  }

  async taskRun(namespace: string, name: string): Promise<Raw> {
    return this.api.ask('GET', `${taskRunsOf(namespace)}/${name}`).catch(() => undefined);
  }

  /** TaskRuns of ours, of one type. */
  async ours(type: 'provision' | 'clean'): Promise<Raw[]> {
    const selector = encodeURIComponent(`build.appstudio.redhat.com/task-type=${type}`);
    return (await this.api.ask('GET', `${taskRunsOf(operatorNamespace)}?labelSelector=${selector}`)).items;
  }

  async secret(namespace: string, name: string): Promise<Raw> {
    return this.api.ask('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`).catch(() => undefined);
  }

  async events(namespace: string): Promise<Raw[]> {
    return (await this.api.ask('GET', `/api/v1/namespaces/${namespace}/events`)).items;
  }

  async remove(namespace: string, name: string): Promise<void> {
    await this.api.ask('DELETE', `${taskRunsOf(namespace)}/${name}`);
  }
}

/** Polls until it returns something; the test's own time-out ends it otherwise. */
export async function eventually<Value>(what: () => Promise<Value | undefined | false | null>): Promise<Value> {
  for (;;) {
    const value = await what();
    if (value !== undefined && value !== false && value !== null) return value;
    await sleep(20);
  }
}

function condition(status: string, reason: string): object {
  return { type: 'Succeeded', status, reason, message: reason };
}

function readBuild(taskRun: Raw): { namespace: string; name: string; uid: string } {
  const param = (name: string): string => taskRun.spec.params.find((it: Raw) => it.name === name).value;
  return { namespace: param('NAMESPACE'), name: param('TASKRUN_NAME'), uid: param('TASKRUN_UID') };
}
