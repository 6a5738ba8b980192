// TaskRuns of other people's pipelines, 25 KB each, as a busy cluster is full of. Builds bodies only.

export const foreignNamespace = 'foreign';

export function foreignName(nth: number): string {
  return `foreign-${nth}`;
}

const script = `#!/bin/bash\nset -euo pipefail\n${'echo "one of many lines of a script that is part of each TaskRun"\n'.repeat(50)}`;
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Most of the 25 KB: the whole Task, as pipelines embed it. */
export function foreignSpec(nth: number): object {
  const steps = Array.from({ length: 7 }, (_, it) => ({
    name: `step-${it}`,
    image: `registry.example.com/tools/image-${it}@${digest}`,
    script,
    env: [{ name: 'HOME', value: '/tekton/home' }],
  }));
  return {
    taskSpec: { steps, volumes: [{ name: 'work', emptyDir: {} }], results: [{ name: 'IMAGE_DIGEST' }] },
    params: Array.from({ length: 20 }, (_, it) => ({ name: `PARAM_${it}`, value: `value ${it} of run ${nth}` })),
    serviceAccountName: 'appstudio-pipeline',
    timeout: '1h0m0s',
  };
}

export function foreignUpdate(nth: number, podName: string): object {
  const message = `Not all Steps have completed: look ${nth}`;
  return { podName, conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'Running', message }] };
}
