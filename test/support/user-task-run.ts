// A build as people create it, and the part of its status that Tekton writes when it has looked up the Task.

export interface BuildOptions {
  /** Instead of the one param PLATFORM; null: `spec.params` is not there at all. */
  readonly params?: readonly object[] | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  /** Merged into status.taskSpec. */
  readonly taskSpec?: object;
  /** The Secret its volume names; default: `multi-platform-ssh-<name>`. */
  readonly secretName?: string;
  /** Its pod is made, too; nothing runs in it. */
  readonly pod?: true;
}

export function userTaskRun(
  namespace: string,
  name: string,
  platform: string | undefined,
  options: BuildOptions,
): { taskRun: object; status: object } {
  const { labels, annotations, finalizers, taskSpec, params = platformParam(platform) } = options;
  const secret = { secretName: options.secretName ?? `multi-platform-ssh-${name}` };
  const spec = { taskRef: { name: 'buildah-remote' }, ...(params === null ? {} : { params }) };
  const metadata = {
    name,
    namespace,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(finalizers && { finalizers }),
  };
  return {
    taskRun: { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata, spec },
    status: {
      podName: `${name}-pod`,
      taskSpec: {
        steps: [{ name: 'build', image: 'builder', script: 'true' }],
        volumes: [{ name: 'ssh', secret }],
        ...taskSpec,
      },
    },
  };
}

function platformParam(platform: string | undefined): readonly object[] {
  return platform === undefined ? [] : [{ name: 'PLATFORM', value: platform }];
}
