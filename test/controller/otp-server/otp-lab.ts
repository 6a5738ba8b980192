// A real API server with deploy/otp installed, and key servers as processes of their own that act under its rights.
// What a test is told of stored keys it reads as an administrator.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rearmPatch, storedKeyLabel, storedKeyName } from '../../../controller/model/one-time-key.ts';
import { kubectlFor } from '../../cluster/kubectl.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { type KeyServerProcess, spawnKeyServer } from './key-server-process.ts';
import { ask, type Asked, type Asking } from './otp-client.ts';

export const operatorNamespace = 'multi-platform-controller';
export const otpServerAccount = 'multi-platform-otp-server';
export const provisionAccount = 'multi-platform-provision';
const repository = join(import.meta.dirname, '../../..');
const secrets = `/api/v1/namespaces/${operatorNamespace}/secrets`;

export interface StoredSecret {
  readonly metadata: {
    readonly name: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly data: Readonly<Record<string, string>>;
}

export class OtpLab {
  readonly api: ApiServer;
  /** With the rights of deploy/otp. */
  readonly kubeconfig: string;
  readonly folder = mkdtempSync(join(tmpdir(), 'otp-lab-'));
  /** The same rights, for requests of the test. */
  readonly ownToken: string;
  readonly #tokens: ReadonlyMap<string, string>;
  readonly #running = new Set<KeyServerProcess>();
  #ca = '';

  private constructor(api: ApiServer, tokens: ReadonlyMap<string, string>, ownToken: string) {
    this.api = api;
    this.#tokens = tokens;
    this.ownToken = ownToken;
    this.kubeconfig = join(this.folder, 'kubeconfig');
    writeFileSync(this.kubeconfig, kubeconfigOf(api, ownToken));
  }

  static async start(): Promise<OtpLab> {
    const api = await startApiServer();
    try {
      await api.createNamespace(operatorNamespace);
      await kubectlFor(api.kubeconfig).run(['apply', '--server-side', '-k', `${repository}/deploy/otp`]);
      const tokens = new Map<string, string>();
      for (const account of [provisionAccount, 'stranger']) {
        await createAccount(api, account);
        tokens.set(account, await tokenOf(api, account, ['multi-platform-otp-server']));
      }
      tokens.set('for the API server', await tokenOf(api, provisionAccount, []));
      const audience = ['multi-platform-otp-server'];
      await api.createNamespace('team-a');
      await createAccount(api, provisionAccount, 'team-a');
      tokens.set('of a tenant', await tokenOf(api, provisionAccount, audience, 'team-a'));
      return new OtpLab(api, tokens, await tokenOf(api, otpServerAccount, []));
    } catch (error) {
      await api.stop();
      throw error;
    }
  }

  /** Resolves when it is ready. Makes its certificate unless told where one is. */
  async startServer(args: readonly string[] = [], kubeconfig = this.kubeconfig): Promise<KeyServerProcess> {
    const server = await this.spawnServer(args, kubeconfig);
    await server.untilReady();
    if (this.#ca === '') {
      const made: StoredSecret | undefined = await this.api
        .ask('GET', `${secrets}/otp-tls-secrets`)
        .catch(() => undefined);
      this.#ca = Buffer.from(made?.data['tls.crt'] ?? '', 'base64').toString();
    }
    return server;
  }

  /** The same, without waiting. */
  async spawnServer(args: readonly string[] = [], kubeconfig = this.kubeconfig): Promise<KeyServerProcess> {
    const server = await spawnKeyServer(kubeconfig, args);
    this.#running.add(server);
    return server;
  }

  /** The certificate the servers of this lab made. */
  get ca(): string {
    return this.#ca;
  }

  /** Header with the token of a ServiceAccount, made for key servers. */
  bearer(account = provisionAccount): Record<string, string> {
    return { authorization: `Bearer ${this.#tokens.get(account)}` };
  }

  ask(server: KeyServerProcess, path: string, asking: Partial<Asking> = {}): Promise<Asked> {
    return ask(path, { port: server.port, ca: this.#ca, ...asking });
  }

  /** Stores a key as a provision TaskRun does; the answer's body is the token. */
  async store(server: KeyServerProcess, uid: string, key: string, attempt = 1): Promise<Asked> {
    return this.ask(server, '/store-key', { body: key, headers: { ...this.bearer(), ...buildHeaders(uid, attempt) } });
  }

  redeem(server: KeyServerProcess, token: string): Promise<Asked> {
    return this.ask(server, '/otp', { body: token });
  }

  /** What the controller does after a retry. */
  async rearm(uid: string, retries: number): Promise<void> {
    await this.api.ask('PATCH', `${secrets}/${storedKeyName(uid)}`, rearmPatch(retries));
  }

  async stored(uid: string): Promise<StoredSecret | undefined> {
    const secret: StoredSecret | undefined = await this.api
      .ask('GET', `${secrets}/${storedKeyName(uid)}`)
      .catch(() => undefined);
    return secret;
  }

  async storedNames(): Promise<string[]> {
    const { items }: { items: StoredSecret[] } = await this.api.ask(
      'GET',
      `${secrets}?labelSelector=${storedKeyLabel}`,
    );
    return items.map(({ metadata }) => metadata.name);
  }

  /** Changes annotations of a stored key, as time or somebody would. */
  async annotate(uid: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.api.ask('PATCH', `${secrets}/${storedKeyName(uid)}`, { metadata: { annotations } });
  }

  /** Ends the servers a test has started. */
  async stopServers(): Promise<void> {
    await Promise.all([...this.#running].map((server) => server.kill()));
    this.#running.clear();
  }

  async stop(): Promise<void> {
    await this.stopServers();
    await this.api.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export function buildHeaders(uid: string, attempt = 1): Record<string, string> {
  return {
    'x-taskrun-uid': uid,
    'x-taskrun-namespace': 'team-a',
    'x-taskrun-name': `build-${uid}`,
    'x-taskrun-attempt': String(attempt),
  };
}

async function createAccount(api: ApiServer, name: string, namespace = operatorNamespace): Promise<void> {
  await api.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
}

function kubeconfigOf({ url, authority }: ApiServer, token: string): string {
  const ca = Buffer.from(authority.certificate).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': ca } }],
    users: [{ name: 'test', user: { token } }],
  });
}

/** Without audiences: for the API server itself. */
export async function tokenOf(
  api: ApiServer,
  account: string,
  audiences: readonly string[],
  namespace = operatorNamespace,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } };
  const answer: { status: { token: string } } = await api.ask('POST', path, request);
  return answer.status.token;
}
