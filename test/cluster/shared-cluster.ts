// One cluster with the product for all test files of a mocha run: importing this file starts it before the first test and ends it after the last.
// host-config stays the same for the whole run; what it says of broken hosts must not disturb the good ones.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster, type Cluster } from './cluster.ts';
import { startHost, type Host } from './host.ts';
import { configureHosts, createTenant, installProduct, untilReady } from './product.ts';

/** One slot, on the machine that serves linux/amd64 as well. */
export const singleSlotPlatform = 'linux-single/amd64';

/** Builds on pods of their own, two at once. */
export const podPlatform = 'linux-pod/amd64';

/** The same, each with one thing more: keys of its platform. */
export const podPlatforms = {
  /** On nodes that do not exist before a test says so. */
  late: 'linux-late/amd64',
  /** Builds may say how big their pod is, and reach it by a port of its node. */
  sized: 'linux-sized/amd64',
  /** On nodes of another architecture. */
  far: 'linux-far/s390x',
} as const;

/** Small pods: the machine of the tests is. */
const podKeys = { type: 'pod', 'max-instances': '2', 'cpu-request': '100m', 'memory-request': '256Mi' };
const podConfig = {
  'dynamic-platforms': [podPlatform, ...Object.values(podPlatforms)].join(','),
  ...keysOf(podPlatform, podKeys),
  ...keysOf(podPlatforms.late, { ...podKeys, 'node-selector': 'late=build' }),
  ...keysOf(podPlatforms.sized, { ...podKeys, 'cpu-limit': '2', 'memory-limit': '1Gi', expose: 'nodePort' }),
  ...keysOf(podPlatforms.far, { ...podKeys, tolerations: 'played=node:NoSchedule' }),
};

function keysOf(platform: string, keys: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = `dynamic.${platform.replace('/', '-')}`;
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${prefix}.${key}`, value]));
}

export interface Shared {
  readonly cluster: Cluster;
  /** Serves linux/amd64 with four slots. */
  readonly host: Host;
  /** Serves linux/arm64: a played machine, see host.ts. */
  readonly arm64Host: Host;
}

/** Platforms whose only host cannot work, and one that no host is for. */
export const brokenPlatforms = {
  unknown: 'linux/s390x',
  down: 'linux/ppc64le',
  wrongKey: 'linux-locked/amd64',
  noSecret: 'linux-keyless/amd64',
} as const;

let started: Shared | undefined;
let cluster: Cluster | undefined;

/** Only inside tests and hooks: before, there is none. */
export function shared(): Shared {
  if (started === undefined) throw new Error('the shared cluster is not up');
  return started;
}

/** A namespace for the builds of one test file, with the generated Task. */
export async function useNamespace(name: string): Promise<void> {
  await createTenant(shared().cluster.kubectl, name);
}

async function start(): Promise<Shared> {
  cluster = await startCluster(`test-${process.pid}`);
  const { kubectl } = cluster;
  await installProduct(kubectl);
  const [host, arm64Host] = await Promise.all([
    startHost(kubectl, 'amd64-1'),
    startHost(kubectl, 'arm64-1', { arch: 'arm64' }),
  ]);
  await addSecretWithOtherKey(cluster, 'locked-ssh-key');
  const broken = (
    name: string,
    address: string,
    secretName: string,
  ): Pick<Host, 'name' | 'address' | 'user' | 'secretName'> => ({
    name,
    address,
    user: 'root',
    secretName,
  });
  const entries = [
    { host, platform: 'linux/amd64', concurrency: 4 },
    { host: arm64Host, platform: 'linux/arm64', concurrency: 2 },
    { host: { ...host, name: 'single' }, platform: singleSlotPlatform, concurrency: 1 },
    // The pod that connects: nothing listens there.
    { host: broken('down', '127.0.0.1', host.secretName), platform: brokenPlatforms.down, concurrency: 1 },
    { host: broken('locked', host.address, 'locked-ssh-key'), platform: brokenPlatforms.wrongKey, concurrency: 1 },
    { host: broken('keyless', host.address, 'no-such-secret'), platform: brokenPlatforms.noSecret, concurrency: 1 },
  ];
  await configureHosts(kubectl, entries, { 'local-platforms': 'linux/x86_64,local,localhost', ...podConfig });
  await untilReady(kubectl);
  return { cluster, host, arm64Host };
}

/** A sound private key, of which no host has the public one. */
async function addSecretWithOtherKey({ kubectl }: Cluster, name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'other-key-'));
  try {
    const file = join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    const labels = { 'build.appstudio.redhat.com/multi-platform-secret': 'true' };
    const metadata = { name, namespace: 'multi-platform-controller', labels };
    const stringData = { id_rsa: readFileSync(file, 'utf8') };
    await kubectl.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, stringData }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

before('a cluster with the product and its hosts', async function () {
  this.timeout(600_000);
  started = await start();
});

// Also when the start failed half-way.
after('the cluster ends', async function () {
  this.timeout(120_000);
  await cluster?.stop();
});
