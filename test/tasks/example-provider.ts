// The provider that tasks/README.md shows, on a real API server: applied from there, its steps run as in their pods, with the
// rights it gives itself.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { kubectlFor } from '../cluster/kubectl.ts';
import { startApiServer, type ApiServer } from '../support/api-server.ts';
import { imageUid, type TaskOutcome } from './run-task.ts';

const readme = readFileSync(join(import.meta.dirname, '../../tasks/README.md'), 'utf8');
const operatorNamespace = 'multi-platform-controller';
const account = 'multi-platform-launch';
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const namespacePath = `/api/v1/namespaces/${operatorNamespace}`;

// oxlint-disable-next-line typescript/no-explicit-any
type Raw = any;

/** The example's host-config, and what is applied. */
export const [exampleConfig = '', exampleManifests = ''] = [
  ...readme.slice(readme.indexOf('## A provider of your own')).matchAll(/^```yaml\n(.*?)^```$/gms),
].map((match) => match[1]);

export class ExampleProvider {
  readonly api: ApiServer;
  readonly #token: string;

  private constructor(api: ApiServer, token: string) {
    this.api = api;
    this.#token = token;
  }

  static async start(): Promise<ExampleProvider> {
    const api = await startApiServer();
    await api.createNamespace(operatorNamespace);
    return ExampleProvider.on(api);
  }

  /** Applies it; the server stays the caller's. */
  static async on(api: ApiServer): Promise<ExampleProvider> {
    await api.ask('POST', `${namespacePath}/serviceaccounts`, { metadata: { name: account } });
    await kubectlFor(api.kubeconfig).run(['apply', '--server-side', '-f', '-'], exampleManifests);
    const { status } = await api.ask('POST', `${namespacePath}/serviceaccounts/${account}/token`, { spec: {} });
    return new ExampleProvider(api, status.token);
  }

  /** As the API server keeps them. */
  async tasks(): Promise<Raw[]> {
    return (await this.api.ask('GET', `/apis/tekton.dev/v1/namespaces/${operatorNamespace}/tasks`)).items;
  }

  async lend(hosts: Readonly<Record<string, string>>): Promise<void> {
    const path = `${namespacePath}/configmaps/spare-hosts`;
    const configMap = await this.api.ask('GET', path);
    await this.api.ask('PUT', path, { ...configMap, data: hosts });
  }

  async lent(): Promise<Record<string, string>> {
    return (await this.api.ask('GET', `${namespacePath}/configmaps/spare-hosts`)).data;
  }

  /** Runs the Task's step with these params, as Tekton would. */
  async run(name: string, params: Readonly<Record<string, string>> = {}): Promise<TaskOutcome> {
    const { spec } = (await this.tasks()).find(({ metadata }) => metadata.name === name);
    const [step] = spec.steps;
    const folder = mkdtempSync(join(tmpdir(), 'example-pod-'));
    try {
      const files = { ...(await this.#mounted(spec)), ...this.#accountFiles() };
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, 'files', path)), { recursive: true });
        writeFileSync(join(folder, 'files', path), text);
      }
      mkdirSync(join(folder, 'results'));
      chmodSync(join(folder, 'results'), 0o777);
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...this.#kubernetesEnv(), ...envOf(spec, step, params) };
      const lines = Object.entries(env).map(([key, value]) => `${key}=${value}\0`);
      writeFileSync(join(folder, 'env'), lines.join(''));
      const { code, log } = await outcomeOf([folder, String(imageUid), ...step.command]);
      return { code, log, results: readResults(join(folder, 'results')) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  async stop(): Promise<void> {
    await this.api.stop();
  }

  async #mounted(spec: Raw): Promise<Record<string, string>> {
    const files: Record<string, string> = {};
    for (const { name, mountPath } of spec.steps[0].volumeMounts) {
      const { configMap } = spec.volumes.find((volume: Raw) => volume.name === name);
      const { data } = await this.api.ask('GET', `${namespacePath}/configmaps/${configMap.name}`);
      for (const [key, text] of Object.entries<string>(data)) files[`${mountPath}/${key}`] = text;
    }
    return files;
  }

  #accountFiles(): Record<string, string> {
    return {
      [`${accountFolder}/token`]: this.#token,
      [`${accountFolder}/ca.crt`]: this.api.authority.certificate,
      [`${accountFolder}/namespace`]: operatorNamespace,
    };
  }

  #kubernetesEnv(): Record<string, string> {
    const { hostname, port } = new URL(this.api.url);
    return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  }
}

function envOf(spec: Raw, step: Raw, given: Readonly<Record<string, string>>): Record<string, string> {
  const values = new Map<string, string>(
    (spec.params ?? []).map(({ name, default: byDefault }: Raw) => [name, given[name] ?? byDefault]),
  );
  const resolve = (text: string): string =>
    text.replace(/\$\(params\.([^)]+)\)/g, (_, name: string) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`no value for ${name}`);
      return value;
    });
  return Object.fromEntries((step.env ?? []).map(({ name, value }: Raw) => [name, resolve(value)]));
}

function outcomeOf(args: readonly string[]): Promise<{ code: number; log: string }> {
  const pod = join(import.meta.dirname, 'task-pod.sh');
  return new Promise((resolved, rejected) => {
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
    const child = spawn('unshare', [...namespaces, 'bash', pod, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += String(chunk)));
    child.once('error', rejected);
    child.once('close', (code) => resolved({ code: code ?? 255, log }));
  });
}

function readResults(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
