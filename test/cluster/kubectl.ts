// Runs kubectl against one cluster and hands back what it printed. Adds nothing to it: no retries, no parsing beyond JSON.
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Kubectl {
  /** For those who run kubectl themselves. */
  readonly env: NodeJS.ProcessEnv;
  /** Standard output; a failure is an Error that carries kubectl's own words. */
  run(args: readonly string[], input?: string): Promise<string>;
  json<T>(args: readonly string[]): Promise<T>;
  /** Manifests as YAML, or as objects that are sent as a List. */
  apply(manifests: string | readonly object[], ...args: string[]): Promise<string>;
}

export function cacheFolder(): string {
  const own = process.env['MPC_CLUSTER_CACHE'];
  return own ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'multi-platform-cluster');
}

/** Without a kubeconfig: the current context of whoever runs this. */
export function kubectlFor(kubeconfig?: string, context?: string): Kubectl {
  const env = {
    ...process.env,
    PATH: [join(cacheFolder(), 'bin'), process.env['PATH']].join(delimiter),
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
  };
  const chosen = context === undefined ? [] : ['--context', context];
  const run = (args: readonly string[], input?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = execFile('kubectl', [...chosen, ...args], { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
        else resolve(stdout);
      });
      // kubectl may end before it has read everything; its exit status says why.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input ?? '');
    });
  return {
    env,
    run,
    json: async <T>(args: readonly string[]) => {
      const value: T = JSON.parse(await run([...args, '-o', 'json']));
      return value;
    },
    apply: (manifests, ...args) =>
      run(
        ['apply', '--server-side', '--force-conflicts', ...args, '-f', '-'],
        typeof manifests === 'string'
          ? manifests
          : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }),
      ),
  };
}
