// TaskRuns of other people's pipelines, 25 KB each, as a busy cluster is full of. Builds bodies only.

export const foreignNamespace = 'foreign';

export function foreignName(nth: number): string {
  return `foreign-${nth}`;
}

export function foreignSpec(nth: number): object {
  return {
    taskRef: { name: 'somebody-elses-task' },
    params: Array.from({ length: 20 }, (_, it) => ({ name: `PARAM_${it}`, value: `value ${it} of run ${nth}` })),
    serviceAccountName: 'appstudio-pipeline',
    timeout: '1h0m0s',
  };
}

const script = `#!/bin/bash\nset -euo pipefail\n${'echo "one of many lines of a script that is quoted in each status"\n'.repeat(40)}`;

/** Most of the 25 KB: Tekton copies the whole Task into the status. */
export function foreignStatus(nth: number): object {
  const steps = Array.from({ length: 7 }, (_, it) => ({
    name: `step-${it}`,
    image: `registry.example.com/tools/image-${it}@sha256:${'0123456789abcdef'.repeat(4)}`,
    script,
    env: [{ name: 'HOME', value: '/tekton/home' }],
  }));
  return {
    podName: `${foreignName(nth)}-pod`,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:10:00Z',
    conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'All Steps have completed' }],
    results: [{ name: 'IMAGE_DIGEST', type: 'string', value: `sha256:${'0123456789abcdef'.repeat(4)}` }],
    steps: steps.map(({ name }) => ({ name, container: name, terminated: { exitCode: 0, reason: 'Completed' } })),
    taskSpec: { steps, volumes: [{ name: 'work', emptyDir: {} }], results: [{ name: 'IMAGE_DIGEST' }] },
  };
}

export function foreignUpdate(nth: number): object {
  const message = `Not all Steps have completed: look ${nth}`;
  return { conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'Running', message }] };
}
