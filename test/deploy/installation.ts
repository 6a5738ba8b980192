// deploy/ installed on a real API server, and requests to it with real tokens of our ServiceAccounts.
import { Agent, request } from 'undici';
import { kubectlFor } from '../cluster/kubectl.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { operatorNamespace, repository, serviceAccounts } from './manifests.ts';

export const tenant = 'team-a';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class Installation {
  readonly server: ApiServer;
  readonly #agent: Agent;
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(server: ApiServer, tokens: ReadonlyMap<string, string>) {
    this.server = server;
    this.#agent = new Agent({ connect: { ca: server.authority.certificate } });
    this.#tokens = tokens;
  }

  static async start(): Promise<Installation> {
    const server = await startApiServer();
    try {
      await server.createNamespace(tenant);
      const kubectl = kubectlFor(server.kubeconfig);
      for (const overlay of ['default', 'restricted']) {
        await kubectl.run(['apply', '--server-side', '-k', `${repository}/deploy/overlays/${overlay}`]);
      }
      await kubectl.run(['apply', '--server-side', '-f', `${repository}/deploy/host-config.yaml`]);
      const tokens = new Map<string, string>();
      for (const account of Object.values(serviceAccounts)) tokens.set(account, await tokenOf(server, account));
      return new Installation(server, tokens);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async askAs(account: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    const answer = await request(this.server.url + path, {
      dispatcher: this.#agent,
      method,
      headers: { authorization: `Bearer ${this.#tokens.get(account)}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
    await this.server.stop();
  }
}

async function tokenOf(server: ApiServer, account: string): Promise<string> {
  const path = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts/${account}/token`;
  const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };
  const answer = await server.ask('POST', path, { ...kind, spec: { expirationSeconds: 3600 } });
  return answer.status.token;
}
