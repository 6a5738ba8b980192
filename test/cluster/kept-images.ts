// Care of one host by hand, with a list of builder images that it is to keep: what the controller does now and then by itself.
import type { Host } from './host.ts';
import type { Kubectl } from './kubectl.ts';

const namespace = 'multi-platform-controller';

/** Returns what the Task says of the host; an Error when it failed. */
export async function keepBuilderImages(kubectl: Kubectl, host: Host, images: readonly string[]): Promise<string> {
  const name = `care-${host.name}`;
  await kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'builder-images', namespace },
      data: { images: `${images.join('\n')}\n` },
    },
    {
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: { name, namespace },
      spec: {
        taskRef: { name: 'update-host' },
        params: [
          { name: 'HOST', value: host.address },
          { name: 'USER', value: host.user },
        ],
        workspaces: [{ name: 'ssh', secret: { secretName: host.secretName } }],
      },
    },
  ]);
  const wait = [
    'wait',
    `taskrun/${name}`,
    '-n',
    namespace,
    '--for=jsonpath={.status.completionTime}',
    '--timeout=300s',
  ];
  await kubectl.run(wait);
  const results = await kubectl.run(['get', 'taskrun', name, '-n', namespace, '-o', 'jsonpath={.status.results}']);
  const log = await kubectl.run(['logs', `${name}-pod`, '-n', namespace, '--all-containers']);
  await kubectl.run(['delete', 'taskrun', name, '-n', namespace]);
  await kubectl.run(['delete', 'configmap', 'builder-images', '-n', namespace]);
  if (!results.includes('builder images kept')) throw new Error(`care of ${host.name}: ${results}\n${log}`);
  return results;
}
