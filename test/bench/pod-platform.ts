// What benchmarks of pod hosts measure on: a cluster with the product, one platform of pods, and a Task that runs the script it is given.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { connectCluster, startCluster, type Cluster } from '../cluster/cluster.ts';
import { configureHosts, createTenant, installProduct, untilReady } from '../cluster/product.ts';

export const operatorNamespace = 'multi-platform-controller';
export const hostsNamespace = 'multi-platform-hosts';
export const benchNamespace = 'bench';
export const platform = 'linux/amd64';
const runner = 'localhost/multi-platform-runner:dev';

const task = `
apiVersion: tekton.dev/v1
kind: Task
metadata: { name: say }
spec:
  params:
    - { name: BUILDER_IMAGE, type: string }
    - { name: SCRIPT, type: string }
  steps:
    - name: build
      image: $(params.BUILDER_IMAGE)
      env: [{ name: SCRIPT, value: $(params.SCRIPT) }]
      securityContext: { runAsUser: 0 }
      script: |
        #!/bin/sh
        eval "$SCRIPT"
`;

/** Runs on a cluster that is up where CLUSTER names one, else on one of its own. `config`: keys of the platform, without their prefix. */
export async function onPodPlatform(
  config: Readonly<Record<string, string>>,
  measure: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const given = process.env['CLUSTER'];
  const cluster = given === undefined ? await startCluster(`bench-${process.pid}`) : connectCluster(given);
  try {
    const { kubectl } = cluster;
    await installProduct(kubectl);
    const keys = Object.entries({ type: 'pod', 'cpu-request': '50m', 'memory-request': '128Mi', ...config });
    const ofPlatform = Object.fromEntries(keys.map(([key, value]) => [`dynamic.linux-amd64.${key}`, value]));
    await configureHosts(kubectl, [], { 'dynamic-platforms': platform, ...ofPlatform });
    await untilReady(kubectl);
    await createTenant(kubectl, benchNamespace);
    await kubectl.apply(remoteTask(), '-n', benchNamespace);
    await measure(cluster);
  } finally {
    if (given === undefined) await cluster.stop();
  }
}

function remoteTask(): string {
  const generator = join(import.meta.dirname, '../../taskgen/main.ts');
  const args = [generator, '--runner-image', runner, '--transfer', 'none', '-'];
  return execFileSync(process.execPath, args, { encoding: 'utf8', input: task });
}

/** Returns at once, with the time (milliseconds since 1970) just before. */
export async function startSaying({ kubectl, registry }: Cluster, name: string, script: string): Promise<number> {
  const params = { PLATFORM: platform, BUILDER_IMAGE: `${registry.inside}/debian:bookworm-slim`, SCRIPT: script };
  const taskRun = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace: benchNamespace },
    spec: {
      taskRef: { name: 'say-remote' },
      params: Object.entries(params).map(([param, value]) => ({ name: param, value })),
    },
  };
  const began = Date.now();
  await kubectl.run(['create', '-f', '-'], JSON.stringify(taskRun));
  return began;
}

/** What there is of hosts and of our TaskRuns, a name a line. */
export async function leftOfHosts({ kubectl }: Cluster): Promise<string> {
  const made = 'pods,services,secrets,networkpolicies';
  const selector = 'build.appstudio.redhat.com/launch-token';
  const hosts = await kubectl.run(['get', made, '-n', hostsNamespace, '-l', selector, '-o', 'name']);
  // The last list of hosts stays, until there is another.
  const ours = ['get', 'taskruns', '-n', operatorNamespace, '-l', 'build.appstudio.redhat.com/task-type!=list'];
  return hosts + (await kubectl.run([...ours, '-o', 'name']));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
