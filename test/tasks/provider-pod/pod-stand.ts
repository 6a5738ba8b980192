// A cluster without nodes: a real API server with the rights of deploy/, and the Tasks of provider-pod run as their pods would. A kubelet is
// played: what becomes of a pod is a rule of the test, and a pod that runs is real: its start script, its sshd, on a machine of its own.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildManifests, find, type Manifest, operatorNamespace, serviceAccounts } from '../../deploy/manifests.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { BuildHost } from '../build-host.ts';
import { joinSockets, type Relay, startRelay } from '../relay.ts';
import { runTask, type TaskInput, type TaskOutcome } from '../run-task.ts';

export const hostsNamespace = 'multi-platform-hosts';
export const tenant = 'team-a';
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const insidePort = 6443;
const prefix = 'build.appstudio.redhat.com';

// oxlint-disable-next-line typescript/no-explicit-any
type Raw = any;

export interface Launch {
  readonly token: string;
  readonly name: string;
  readonly secret: string;
  readonly params: Readonly<Record<string, string>>;
}

export class PodStand {
  readonly host: BuildHost;
  readonly server: ApiServer;
  readonly #relay: Relay;
  readonly #token: string;
  #launches = 0;

  private constructor(host: BuildHost, server: ApiServer, relay: Relay, token: string) {
    this.host = host;
    this.server = server;
    this.#relay = relay;
    this.#token = token;
  }

  static async start(): Promise<PodStand> {
    const host = await BuildHost.start();
    const server = await startApiServer();
    try {
      return await PodStand.#install(host, server);
    } catch (error) {
      await server.stop();
      await host.stop();
      throw error;
    }
  }

  static async #install(host: BuildHost, server: ApiServer): Promise<PodStand> {
    await server.createNamespace(operatorNamespace);
    await server.createNamespace(tenant);
    const operator = await buildManifests('deploy/operator');
    await create(server, find(operator, 'ServiceAccount', serviceAccounts.launch));
    for (const manifest of await buildManifests('deploy/providers/pod')) await create(server, manifest);
    const accounts = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts`;
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { status } = await server.ask('POST', `${accounts}/${serviceAccounts.launch}/token`, request);
    const port = Number(new URL(server.url).port);
    const relay = await startRelay(host, insidePort, (inside) => joinSockets(inside, connect(port, '127.0.0.1')));
    return new PodStand(host, server, relay, status.token);
  }

  /** The params the controller sends; `changed` ones instead of them. A node's port is a way that leads here without kube-proxy. */
  aLaunch(changed: Readonly<Record<string, string>> = {}): Launch {
    this.#launches += 1;
    const name = changed['TASKRUN_NAME'] ?? `build-${this.#launches}`;
    const params = {
      LAUNCH_TOKEN: `mp-${String(this.#launches).padStart(20, '0')}`,
      PLATFORM: 'linux/amd64',
      TASKRUN_NAME: name,
      NAMESPACE: tenant,
      TASKRUN_UID: `00000000-0000-4000-8000-${String(this.#launches).padStart(12, '0')}`,
      SECRET_NAME: `multi-platform-ssh-${name}`,
      ALLOCATION_TIMEOUT: '60',
      EXPOSE: 'nodePort',
      MIN_DISK: '1M',
      ...changed,
    };
    return { token: params.LAUNCH_TOKEN, name, secret: params.SECRET_NAME, params };
  }

  launch({ params }: Launch, other: Partial<TaskInput> = {}): Promise<TaskOutcome> {
    return this.run('launch-pod', params, other);
  }

  /** Launches, with the pod running beside it. */
  async launchAndRun(launch: Launch, prepare?: string): Promise<TaskOutcome> {
    const [outcome] = await Promise.all([this.launch(launch), this.runPod(launch, prepare)]);
    return outcome;
  }

  terminate({ token }: Launch, other: Partial<TaskInput> = {}): Promise<TaskOutcome> {
    return this.run('terminate-pod', { LAUNCH_TOKEN: token }, other);
  }

  run(
    task: TaskInput['task'],
    params: Readonly<Record<string, string>>,
    other: Partial<TaskInput> = {},
  ): Promise<TaskOutcome> {
    const files = {
      [`${accountFolder}/token`]: this.#token,
      [`${accountFolder}/ca.crt`]: this.server.authority.certificate,
      [`${accountFolder}/namespace`]: operatorNamespace,
    };
    const env = { ...this.apiEnv, ...other.env };
    return runTask(this.host, { task, params, ...other, files: { ...files, ...other.files }, env });
  }

  readonly apiEnv = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(insidePort) };

  /** The objects of a host that are there, by kind; undefined when gone. */
  async object(resource: string, { token }: Launch): Promise<Raw> {
    const name = resource === 'secrets' ? `multi-platform-ssh-${token}` : token;
    return this.read(pathOf(resource, hostsNamespace, name));
  }

  /** The Event about the launch TaskRun with this uid. */
  async toldUnschedulable(uid: string): Promise<Raw> {
    const selector = `involvedObject.uid%3D${uid},reason%3DUnschedulable`;
    return (await this.read(`/api/v1/namespaces/${operatorNamespace}/events?fieldSelector=${selector}`)).items[0];
  }

  async read(path: string): Promise<Raw> {
    try {
      return await this.server.ask('GET', path);
    } catch (error) {
      if (/ 404/.test(String(error))) return undefined;
      throw error;
    }
  }

  /** Values of the Secret of a build; undefined when there is none. */
  async buildSecret({ secret }: Launch): Promise<Record<string, string> | undefined> {
    const found = await this.read(pathOf('secrets', tenant, secret));
    return found === undefined ? undefined : decoded(found.data);
  }

  /** What the scheduler and the kubelet would write. Waits for the pod. */
  async setStatus(launch: Launch, status: object): Promise<void> {
    while ((await this.object('pods', launch)) === undefined) await sleep(50);
    await this.server.ask('PATCH', `${pathOf('pods', hostsNamespace, launch.token)}/status`, { status });
  }

  async bind({ token }: Launch, node = 'node-1'): Promise<void> {
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: token },
      target: { kind: 'Node', name: node },
    };
    await this.server.ask('POST', `${pathOf('pods', hostsNamespace, token)}/binding`, binding);
  }

  /** Starts the pod as its manifest says, on the machine of this stand; `prepare` is shell text that runs there first. */
  async runPod(launch: Launch, prepare = 'true'): Promise<void> {
    while ((await this.object('pods', launch)) === undefined) await sleep(50);
    const { spec } = await this.object('services', launch);
    const folder = `/pods/${launch.token}`;
    this.host.read(`mkdir -p ${folder} /home/build; chmod 755 /pods ${folder}`);
    this.bringKeys(launch, decoded((await this.object('secrets', launch)).data));
    const env = `MP_KEYS=${folder} MP_USER=build MP_PORT=${spec.ports[0].nodePort} MP_TOOLS= MP_USERNS=false`;
    this.host.read(
      `${prepare}; ${env} setsid sh ${folder}/start >${folder}/log 2>&1 </dev/null & echo $! >${folder}/pid`,
    );
    const containerStatuses = [{ name: 'host', ready: true, started: true, restartCount: 0, image: '', imageID: '' }];
    await this.setStatus(launch, { phase: 'Running', hostIP: '127.0.0.1', podIP: '127.0.0.1', containerStatuses });
  }

  /** The Secret of the host as its pod sees it. */
  bringKeys({ token }: Launch, keys: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(keys)) {
      this.host.read(`cat >/pods/${token}/${name} <<'CONTENT'\n${content}CONTENT`);
    }
  }

  endPod({ token }: Launch): void {
    this.host.read(`kill "$(cat /pods/${token}/pid)"; rm -rf /pods/${token} /home/build/.multi-platform`);
  }

  async stop(): Promise<void> {
    await this.#relay.stop();
    await this.server.stop();
    await this.host.stop();
  }
}

export function pathOf(resource: string, namespace: string, name = ''): string {
  const group = resource === 'networkpolicies' ? '/apis/networking.k8s.io/v1' : '/api/v1';
  return `${group}/namespaces/${namespace}/${resource}${name && `/${name}`}`;
}

export const decoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));

/** A condition of pods, with the scheduler's sentence. */
export const unschedulable = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/3 nodes are available: 3 Insufficient cpu.',
};

export const launchTokenLabel = `${prefix}/launch-token`;

async function create(server: ApiServer, manifest: Manifest): Promise<void> {
  const group = manifest.apiVersion === 'v1' ? '/api/v1' : `/apis/${manifest.apiVersion}`;
  const { namespace } = manifest.metadata;
  const resource = manifest.kind === 'NetworkPolicy' ? 'networkpolicies' : `${manifest.kind.toLowerCase()}s`;
  await server.ask(
    'POST',
    `${group}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${resource}`,
    manifest,
  );
}
