// The API server as the pod of a provision Task meets it: reachable from the build host's network, with the token of a
// ServiceAccount that may create Secrets and nothing else. Gives the tests the Secrets that were made.
import { connect } from 'node:net';
import { startApiServer, type ApiServer } from '../support/api-server.ts';
import { keepQuotaBusy } from '../support/busy-quota.ts';
import type { BuildHost } from './build-host.ts';
import { joinSockets, startRelay, type Relay } from './relay.ts';

const operatorNamespace = 'multi-platform-controller';
const account = 'multi-platform-provision';
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Where the Task mounts the token that is made for the one-time password server. */
export const otpTokenFile = '/var/run/secrets/multi-platform-otp/token';
const insidePort = 6443;

export interface SecretObject {
  readonly type: string;
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly ownerReferences?: readonly Record<string, unknown>[];
  };
  readonly data: Readonly<Record<string, string>>;
}

export class TenantApi {
  readonly #server: ApiServer;
  readonly #relay: Relay;
  readonly #token: string;
  readonly #otpToken: string;

  private constructor(server: ApiServer, relay: Relay, token: string, otpToken: string) {
    this.#server = server;
    this.#relay = relay;
    this.#token = token;
    this.#otpToken = otpToken;
  }

  static async start(host: BuildHost): Promise<TenantApi> {
    const server = await startApiServer();
    await createAccount(server);
    const [token, otpToken] = [await tokenOf(server, []), await tokenOf(server, ['multi-platform-otp-server'])];
    const port = Number(new URL(server.url).port);
    const relay = await startRelay(host, insidePort, (inside) => joinSockets(inside, connect(port, '127.0.0.1')));
    return new TenantApi(server, relay, token, otpToken);
  }

  /** Environment and files that the kubelet gives the pod. */
  get podEnv(): Record<string, string> {
    return { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(insidePort) };
  }

  get podFiles(): Record<string, string> {
    return {
      [`${accountFolder}/token`]: this.#token,
      [`${accountFolder}/ca.crt`]: this.#server.authority.certificate,
      [`${accountFolder}/namespace`]: operatorNamespace,
      [otpTokenFile]: this.#otpToken,
    };
  }

  /** File with the kubeconfig of an admin. */
  get kubeconfig(): string {
    return this.#server.kubeconfig;
  }

  async createNamespace(name: string): Promise<void> {
    await this.#server.createNamespace(name);
  }

  async createSecret(namespace: string, name: string): Promise<void> {
    await this.#server.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name },
      stringData: { of: 'somebody else' },
    });
  }

  async secret(namespace: string, name: string): Promise<SecretObject> {
    const secret: SecretObject = await this.#server.ask('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`);
    return secret;
  }

  /** uids of the TaskRuns that said that their Secret is there. */
  async reports(): Promise<string[]> {
    const path = `/api/v1/namespaces/${operatorNamespace}/events?fieldSelector=reason%3DSecretCreated`;
    const { items }: { items: { involvedObject: { uid: string } }[] } = await this.#server.ask('GET', path);
    return items.map(({ involvedObject }) => involvedObject.uid);
  }

  /** The next Secrets, so many, meet others in a quota. */
  keepQuotaBusy(times: number): Promise<() => Promise<number>> {
    return keepQuotaBusy(this.#server, 'secrets', times);
  }

  async deleteSecret(namespace: string, name: string): Promise<void> {
    await this.#server.ask('DELETE', `/api/v1/namespaces/${namespace}/secrets/${name}`);
  }

  /** The values of a Secret as text. */
  async values(namespace: string, name: string): Promise<Record<string, string>> {
    const { data } = await this.secret(namespace, name);
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  }

  async stop(): Promise<void> {
    await this.#relay.stop();
    await this.#server.stop();
  }
}

async function createAccount(server: ApiServer): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await server.createNamespace(operatorNamespace);
  const accounts = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts`;
  await server.ask('POST', accounts, { metadata: { name: account } });
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['create'] }];
  await server.ask('POST', `${rbac}/clusterroles`, { metadata: { name: account }, rules });
  await server.ask('POST', `${rbac}/clusterrolebindings`, {
    metadata: { name: account },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: account },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: operatorNamespace }],
  });
  const own = `${rbac}/namespaces/${operatorNamespace}`;
  const events = [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }];
  await server.ask('POST', `${own}/roles`, { metadata: { name: account }, rules: events });
  await server.ask('POST', `${own}/rolebindings`, {
    metadata: { name: account },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: operatorNamespace }],
  });
}

/** Without audiences: for the API server itself. */
async function tokenOf(server: ApiServer, audiences: readonly string[]): Promise<string> {
  const path = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts/${account}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } };
  const answer: { status: { token: string } } = await server.ask('POST', path, request);
  return answer.status.token;
}
