// The product on a test cluster: installed as people install it, with hosts in host-config and a namespace that builds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.ts';
import type { Kubectl } from './kubectl.ts';
import { until } from './until.ts';

const root = join(import.meta.dirname, '../..');
const operatorNamespace = 'multi-platform-controller';

export interface ProductImages {
  readonly controller: string;
  readonly runner: string;
}

/** As deploy/images/build.sh calls them. */
const builtHere: ProductImages = {
  controller: 'localhost/multi-platform-controller:dev',
  runner: 'localhost/multi-platform-runner:dev',
};

/** Tekton's init containers pass the restricted Pod Security Standard only with these; see deploy/overlays/restricted. */
const featureFlags = { 'set-security-context': 'true', 'set-security-context-read-only-root-filesystem': 'true' };

/** Tekton's webhook looks at them, and on a cluster that has just started the way to it is there a moment after it is ready. */
async function setFeatureFlags(kubectl: Kubectl): Promise<void> {
  const patch = JSON.stringify({ data: featureFlags });
  let refusal: unknown;
  await until(
    async () => {
      try {
        return await kubectl.run([...featureFlagsMap, '--type=merge', '-p', patch]);
      } catch (error) {
        if (!/failed calling webhook/.test(String(error))) throw error;
        refusal = error;
        return undefined;
      }
    },
    () => String(refusal),
  );
}

const featureFlagsMap = ['patch', 'configmap', 'feature-flags', '-n', 'tekton-pipelines'];

/** Applies deploy/. The controller gets ready with the first host-config: see untilReady. */
export async function installProduct(kubectl: Kubectl, images: ProductImages = builtHere): Promise<void> {
  await setFeatureFlags(kubectl);
  const manifests = await kubectl.run(['kustomize', join(import.meta.dirname, 'overlay')]);
  const named = manifests
    .replaceAll(builtHere.controller, images.controller)
    .replaceAll(builtHere.runner, images.runner);
  await kubectl.apply(named);
}

export async function untilReady(kubectl: Kubectl): Promise<void> {
  const deployment = `deployment/${operatorNamespace}`;
  await kubectl.run(['rollout', 'status', '-n', operatorNamespace, deployment, '--timeout=120s']);
}

export interface HostEntry {
  readonly host: Pick<Host, 'name' | 'address' | 'user' | 'secretName'>;
  readonly platform: string;
  readonly concurrency: number;
}

/** Replaces host-config. `extra`: further keys. */
export async function configureHosts(
  kubectl: Kubectl,
  entries: readonly HostEntry[],
  extra: Readonly<Record<string, string>> = {},
): Promise<void> {
  const data = Object.fromEntries(entries.flatMap(keysOf));
  const labels = { 'build.appstudio.redhat.com/multi-platform-config': 'hosts' };
  const metadata = { name: 'host-config', namespace: operatorNamespace, labels };
  await kubectl.apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ...data, ...extra } }]);
}

function keysOf({ host, platform, concurrency }: HostEntry): [key: string, value: string][] {
  const key = (field: string): string => `host.${host.name}.${field}`;
  return [
    [key('address'), host.address],
    [key('user'), host.user],
    [key('platform'), platform],
    [key('secret'), host.secretName],
    [key('concurrency'), String(concurrency)],
  ];
}

/** One more host beside those of host-config; the function takes it out again. */
export async function addHost(kubectl: Kubectl, entry: HostEntry): Promise<() => Promise<void>> {
  const patch = (data: Readonly<Record<string, string | null>>): Promise<string> =>
    kubectl.run([
      'patch',
      'configmap',
      'host-config',
      '-n',
      operatorNamespace,
      '--type=merge',
      '-p',
      JSON.stringify({ data }),
    ]);
  const keys = keysOf(entry);
  await patch(Object.fromEntries(keys));
  return async () => void (await patch(Object.fromEntries(keys.map(([key]) => [key, null]))));
}

/** A namespace for builds: with the generated Task. */
export async function createTenant(
  kubectl: Kubectl,
  namespace: string,
  images: ProductImages = builtHere,
): Promise<void> {
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
  await kubectl.apply(remoteTask(images), '-n', namespace);
}

/** tasks/generated/buildah-remote.yaml with a runner image the cluster can pull. */
function remoteTask({ runner }: ProductImages): string {
  const task = readFileSync(join(root, 'tasks/generated/buildah-remote.yaml'), 'utf8');
  return task.replaceAll(/^(\s+(?:- )?image: )multi-platform-runner$/gm, `$1${runner}`);
}
