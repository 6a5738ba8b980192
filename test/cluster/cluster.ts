// A real cluster for as long as a test run lasts: starts one of its own and ends it, also when this process dies. Knows nothing of the product.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheFolder, kubectlFor } from './kubectl.ts';
import type { Kubectl } from './kubectl.ts';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cluster {
  readonly name: string;
  /** Path of an administrator's kubeconfig that works from outside. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** The registry (plain http): its name for pods, hosts and the kubelet, and its address for this process. */
  readonly registry: { readonly inside: string; readonly outside: string };
  /** Runs a command among the cluster's processes, in its network; never throws for an exit status. */
  exec(command: readonly string[], input?: string): Promise<CommandResult>;
  /** Brings an image of the cache's storage to the node while the cluster runs. */
  importImage(image: string): Promise<void>;
  /** Only for a cluster that startCluster started: ends it and waits until nothing of it is left. */
  stop(): Promise<void>;
}

/** Milliseconds; an idle machine needs 15 seconds. */
const startLimit = 300_000;
const scripts = import.meta.dirname;
const runFolder = (name: string): string => join(cacheFolder(), 'run', name);

function execInside(name: string, command: readonly string[], input: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'bash',
      [join(scripts, 'inside.sh'), name, ...command],
      { maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(error);
        else resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** A cluster that is up already, started by up.sh or by another process. */
export function connectCluster(name: string): Cluster {
  const folder = runFolder(name);
  const kubeconfig = join(folder, 'admin.kubeconfig');
  if (!existsSync(join(folder, 'ready'))) {
    throw new Error(`no cluster named '${name}' is up: start it with test/cluster/up.sh ${name}`);
  }
  const ports = readFileSync(join(folder, 'ports'), 'utf8');
  const registryPort = /registry\.sock (\d+)/.exec(ports)?.[1] ?? '';
  const exec = (command: readonly string[], input = ''): Promise<CommandResult> => execInside(name, command, input);
  return {
    name,
    kubeconfig,
    kubectl: kubectlFor(kubeconfig),
    registry: { inside: 'registry.local:5000', outside: `127.0.0.1:${registryPort}` },
    exec,
    importImage: async (image) => {
      const result = await exec(['bash', join(scripts, 'import-image.sh'), image]);
      if (result.status !== 0) throw new Error(`image ${image} was not imported: ${result.stderr}`);
    },
    stop: () =>
      Promise.reject(new Error(`cluster '${name}' belongs to someone else: end it with test/cluster/down.sh ${name}`)),
  };
}

/** Returns when the API, DNS, the registry and Tekton answer. */
export async function startCluster(name: string): Promise<Cluster> {
  // Its standard input is the lifeline: it closes with us, however we end, and the supervisor takes the cluster down.
  // In a session of its own, so that Ctrl-C reaches us only and the supervisor has the time to clean up.
  const supervisor = spawn('bash', [join(scripts, 'supervise.sh'), name], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  let output = '';
  supervisor.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const end = once(supervisor, 'exit');
  const ended = (): boolean => supervisor.exitCode !== null || supervisor.signalCode !== null;
  const files = ['ready', 'admin.kubeconfig', 'ports'].map((file) => join(runFolder(name), file));
  const limit = performance.now() + startLimit;
  while (!ended() && !files.every((file) => existsSync(file))) {
    await Promise.race([delay(100), end]);
    if (performance.now() < limit) continue;
    const progress = readFileSync(join(runFolder(name), 'log/start'), 'utf8')
      .trim()
      .split('\n')
      .at(-1);
    supervisor.stdin.end();
    await end;
    throw new Error(`cluster '${name}' is not ready after ${startLimit / 1000} s; how far it came: ${progress}`);
  }
  if (ended()) throw new Error(`cluster '${name}' did not start: ${output.trim() || 'no reason given'}`);
  const stop = async (): Promise<void> => {
    supervisor.stdin.end();
    await end;
  };
  return { ...connectCluster(name), stop };
}
