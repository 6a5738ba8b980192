// Where the demo runs: a cluster of its own on this machine, or the cluster of a kubeconfig context. Both give the same
// things to the rest of the demo; nothing here knows about builds.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectCluster, startCluster, type Cluster } from '../cluster/cluster.ts';
import { cacheFolder, kubectlFor, type Kubectl } from '../cluster/kubectl.ts';

export interface Place {
  readonly kubectl: Kubectl;
  readonly images: {
    readonly controller: string;
    readonly runner: string;
    readonly host: string;
    readonly builder: string;
    readonly base: string;
    /** For several platforms. */
    readonly smallBase: string;
  };
  /** Where the demo's image is pushed, as pods and hosts know it. */
  readonly imageRepository: string;
  /** A folder on the node for sources; undefined: the cluster makes volumes by itself. */
  readonly sourceFolder: string | undefined;
  /** How to go on by hand, for --keep. */
  readonly hint: string;
  end(): Promise<void>;
}

export const clusterName = 'demo';
const scripts = join(import.meta.dirname, '../cluster');

export async function ownCluster(keep: boolean): Promise<Place> {
  execFileSync('sh', [join(scripts, '../setup.sh')], { stdio: 'inherit' });
  const cluster = await upOrConnect(keep);
  const builder = `${cluster.registry.inside}/builder:1`;
  return {
    kubectl: cluster.kubectl,
    images: {
      controller: 'localhost/multi-platform-controller:dev',
      runner: 'localhost/multi-platform-runner:dev',
      host: 'localhost/ssh-host:1',
      builder,
      base: `${cluster.registry.inside}/debian:bookworm-slim`,
      smallBase: `${cluster.registry.inside}/busybox:1`,
    },
    imageRepository: `${cluster.registry.inside}/demo/hello`,
    sourceFolder: join(cluster.kubeconfig, '../sources'),
    hint: [
      `  export KUBECONFIG=${cluster.kubeconfig} PATH=${join(cacheFolder(), 'bin')}:$PATH`,
      '  kubectl get taskruns -A',
      '  npm run demo -- --down    removes it',
    ].join('\n'),
    end: () => (keep ? Promise.resolve() : cluster.stop()),
  };
}

async function upOrConnect(keep: boolean): Promise<Cluster> {
  if (isUp()) {
    if (keep) return connectCluster(clusterName);
    throw new Error(
      'a demo cluster is up already: use it with npm run demo -- --keep, or remove it with npm run demo -- --down',
    );
  }
  if (!keep) return startCluster(clusterName);
  execFileSync('bash', [join(scripts, 'up.sh'), clusterName], { stdio: ['ignore', 'ignore', 'inherit'] });
  return connectCluster(clusterName);
}

function isUp(): boolean {
  return existsSync(join(cacheFolder(), 'run', clusterName, 'ready'));
}

export function removeOwnCluster(): void {
  execFileSync('bash', [join(scripts, 'down.sh'), clusterName], { stdio: 'inherit' });
}

export interface ContextOptions {
  /** undefined: the current one. */
  readonly context: string | undefined;
  /** Registry and path that this machine may push to and the cluster may pull from. */
  readonly registry: string;
}

/** Builds the images on this machine and pushes them where the cluster finds them. */
export function contextPlace({ context, registry }: ContextOptions): Place {
  const engine = ['podman', 'docker'].find((name) => runs(name)) ?? '';
  if (engine === '') throw new Error('neither podman nor docker is installed: install one of them to build the images');
  const root = join(import.meta.dirname, '../..');
  const run = (command: string, ...args: string[]): void =>
    void execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const push = (local: string, name: string): string => {
    const target = `${registry}/${name}`;
    run(engine, 'tag', local, target);
    run(engine, 'push', target);
    return target;
  };
  run('bash', 'deploy/images/build.sh');
  run(
    engine,
    'build',
    '-t',
    'localhost/ssh-host:1',
    '-f',
    'test/cluster/images/ssh-host/Containerfile',
    'test/cluster/images',
  );
  run(
    engine,
    'build',
    '-t',
    'localhost/builder:1',
    '-f',
    'test/cluster/images/builder/Containerfile',
    'test/cluster/images',
  );
  return {
    kubectl: kubectlFor(undefined, context),
    images: {
      controller: push('localhost/multi-platform-controller:dev', 'multi-platform-controller:demo'),
      runner: push('localhost/multi-platform-runner:dev', 'multi-platform-runner:demo'),
      host: push('localhost/ssh-host:1', 'ssh-host:demo'),
      builder: push('localhost/builder:1', 'builder:demo'),
      base: 'docker.io/library/debian:bookworm-slim',
      smallBase: 'docker.io/library/busybox:1',
    },
    imageRepository: `${registry}/hello`,
    sourceFolder: undefined,
    hint: '  kubectl get taskruns -A\n  kubectl delete namespace demo test-hosts multi-platform-controller    removes it',
    end: () => Promise.resolve(),
  };
}

function runs(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
