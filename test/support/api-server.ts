// A real etcd and kube-apiserver with Tekton's resource definitions, for one test file: started in seconds on free
// loopback ports, gone without a trace afterwards. No controllers, no kubelet: tests play those.
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import { CertificateAuthority, type KeyPair } from './certificate-authority.ts';
import { ChildProcesses } from './child-processes.ts';
import { Etcd } from './etcd.ts';
import { freePort } from './free-port.ts';
import { parsedLines } from './parsed-lines.ts';
import { RequestRefused } from './request-refused.ts';

export interface ApiServer {
  readonly url: string;
  readonly authority: CertificateAuthority;
  /** File with a kubeconfig of a cluster admin, and that admin's client certificate. */
  readonly kubeconfig: string;
  readonly admin: KeyPair;
  /** A request as admin; the parsed answer. Rejects for anything but success. */
  ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<any>; // oxlint-disable-line typescript/no-explicit-any
  createNamespace(name: string): Promise<void>;
  /** The lines of a watch as admin, parsed, until the server ends it or `signal` says so. */
  watch(path: string, signal: AbortSignal): AsyncIterable<any>; // oxlint-disable-line typescript/no-explicit-any
  /** File with a kubeconfig of somebody else, or for another way to this server (a proxy). */
  writeKubeconfig(options: { user?: string; groups?: readonly string[]; url?: string }): Promise<string>;
  /** Ends the API server and starts it again on the same port with the same data; its watch history is gone. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
  /** Sets it back to what it was when it was started, for somebody else; the end of this process is not held up by it from then on. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

const readyWithin = 60_000;
const definitionFolder = 'tekton/300-crds';
/** Which of Tekton's definitions a test gets. */
const definitions = ['task', 'taskrun'] as const;

/** `flags`: more of them for kube-apiserver. */
export async function startApiServer(flags: readonly string[] = []): Promise<ApiServer> {
  const cache = cacheFolder();
  const folder = await mkdtemp(join(tmpdir(), 'api-server-'));
  const server = new RunningApiServer(folder, cache, await CertificateAuthority.create(folder));
  try {
    await server.start(flags);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function cacheFolder(): string {
  const root = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = process.env['MPC_CLUSTER_CACHE'] ?? join(root, 'multi-platform-cluster');
  const missing = ['bin/etcd', 'bin/kube-apiserver', definitionFolder].filter((it) => !existsSync(join(folder, it)));
  if (missing.length === 0) return folder;
  throw new Error(`${folder} has no ${missing.join(', ')}: build them once with \`sh test/setup.sh\``);
}

class RunningApiServer implements ApiServer {
  readonly authority: CertificateAuthority;
  readonly #folder: string;
  readonly #cache: string;
  readonly #processes = new ChildProcesses();
  #etcd: Etcd | undefined;
  #apiServer: ChildProcess | undefined;
  #agent: Agent | undefined;
  #port = 0;
  #flags: readonly string[] = [];
  #admin: KeyPair | undefined;
  #kubeconfigs = 0;
  kubeconfig = '';
  readonly #removeFolder = (): void => rmSync(this.#folder, { recursive: true, force: true });

  constructor(folder: string, cache: string, authority: CertificateAuthority) {
    this.#folder = folder;
    this.#cache = cache;
    this.authority = authority;
    process.once('exit', this.#removeFolder);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get admin(): KeyPair {
    if (this.#admin === undefined) throw new Error('the API server is not started');
    return this.#admin;
  }

  async start(flags: readonly string[]): Promise<void> {
    const etcd = await Etcd.start((own) => this.#spawn('etcd', own), join(this.#folder, 'etcd'));
    this.#etcd = etcd;
    this.#admin = await this.authority.issueClient('admin', ['system:masters']);
    const { certificate: cert, key } = this.#admin;
    this.#agent = new Agent({ connect: { ca: this.authority.certificate, cert, key } });
    this.#port = await freePort();
    this.#flags = [...(await this.#apiServerFlags(etcd.url)), ...flags];
    await this.#startApiServer();
    this.kubeconfig = await this.writeKubeconfig({});
    for (const name of definitions) await this.#define(name);
    // A definition is listed before it can be written.
    const empty = { apiVersion: 'tekton.dev/v1', metadata: { name: 'x' }, spec: {} };
    const path = '/apis/tekton.dev/v1/namespaces/default';
    await until(async () => this.ask('POST', `${path}/taskruns?dryRun=All`, { ...empty, kind: 'TaskRun' }));
    await until(async () => this.ask('POST', `${path}/tasks?dryRun=All`, { ...empty, kind: 'Task' }));
    await etcd.remember();
  }

  async forget(): Promise<void> {
    await this.#etcd?.forget();
    // Answers, and has seen that.
    await this.ask('GET', '/apis/tekton.dev/v1/taskruns');
    this.#processes.unref();
  }

  async #apiServerFlags(etcd: string): Promise<readonly string[]> {
    const serving = await this.authority.issueServer();
    const file = async (name: string, content: string): Promise<string> => {
      await writeFile(join(this.#folder, name), content, { mode: 0o600 });
      return join(this.#folder, name);
    };
    const certificate = await file('serving.crt', serving.certificate);
    const key = await file('serving.key', serving.key);
    return [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${this.#port}`,
      `--cert-dir=${this.#folder}`,
      `--tls-cert-file=${certificate}`,
      `--tls-private-key-file=${key}`,
      `--client-ca-file=${await file('ca.crt', this.authority.certificate)}`,
      '--authorization-mode=RBAC',
      `--service-account-key-file=${certificate}`,
      `--service-account-signing-key-file=${key}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.96.0.0/24',
      '--endpoint-reconciler-type=none',
      // Nobody makes ServiceAccounts here, and pods must be possible.
      '--disable-admission-plugins=ServiceAccount',
    ];
  }

  async #startApiServer(): Promise<void> {
    const apiServer = this.#spawn('kube-apiserver', this.#flags);
    this.#apiServer = apiServer;
    await until(async () => {
      if (apiServer.exitCode !== null) return;
      await this.#text('GET', '/readyz');
    });
    if (apiServer.exitCode !== null) throw new Error('kube-apiserver did not start; see its complaint above');
  }

  /** Tekton's definition as published, less the conversion webhook nobody runs here. */
  async #define(name: string): Promise<void> {
    const text = readFileSync(join(this.#cache, definitionFolder, `300-${name}.yaml`), 'utf8');
    const definition: { spec: { conversion?: unknown } } = parse(text);
    definition.spec.conversion = { strategy: 'None' };
    await this.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  }

  /** Memory is there, and collecting garbage less often saves a sixth of its CPU. */
  #spawn(binary: string, flags: readonly string[]): ChildProcess {
    return this.#processes.start(join(this.#cache, 'bin', binary), flags, { env: { GOGC: '400', ...process.env } });
  }

  // oxlint-disable-next-line typescript/no-explicit-any
  async ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<any> {
    return JSON.parse(await this.#text(method, path, body));
  }

  async #text(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<string> {
    if (this.#agent === undefined) throw new Error('the API server is not started');
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await request(this.url + path, {
      dispatcher: this.#agent,
      method,
      headers: { 'content-type': contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new RequestRefused(`${method} ${path}`, answer.statusCode, text);
    return text;
  }

  // oxlint-disable-next-line typescript/no-explicit-any
  async *watch(path: string, signal: AbortSignal): AsyncIterable<any> {
    if (this.#agent === undefined) throw new Error('the API server is not started');
    const answer = await request(this.url + path, { dispatcher: this.#agent, signal, bodyTimeout: 0 });
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${await answer.body.text()}`);
    yield* parsedLines(answer.body);
  }

  async createNamespace(name: string): Promise<void> {
    await this.ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  async writeKubeconfig(options: { user?: string; groups?: readonly string[]; url?: string }): Promise<string> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const { user, groups, url = this.url } = options;
    const { certificate, key } = user === undefined ? this.admin : await this.authority.issueClient(user, groups);
    this.#kubeconfigs += 1;
    const file = join(this.#folder, `kubeconfig-${this.#kubeconfigs}`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } }],
      clusters: [
        { name: 'test', cluster: { server: url, 'certificate-authority-data': base64(this.authority.certificate) } },
      ],
      users: [
        { name: 'test', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } },
      ],
    };
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  async restart(whileAway?: () => Promise<void>): Promise<void> {
    if (this.#apiServer !== undefined) await this.#processes.end(this.#apiServer);
    await whileAway?.();
    await this.#startApiServer();
  }

  async stop(): Promise<void> {
    await this.#agent?.destroy();
    await this.#processes.endAll();
    process.off('exit', this.#removeFolder);
    this.#removeFolder();
  }
}

async function until(attempt: () => Promise<unknown>): Promise<void> {
  const giveUp = Date.now() + readyWithin;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > giveUp) throw error;
      await sleep(50);
    }
  }
}
