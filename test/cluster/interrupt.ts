// Ways a build can be stopped by people, and the moments at which they do it.
import type { Cluster } from './cluster.ts';
import { logOf, type Raw } from './build.ts';
import { until } from './until.ts';

export interface BuildName {
  readonly namespace: string;
  readonly name: string;
}

const operatorNamespace = 'multi-platform-controller';
const prefix = 'build.appstudio.redhat.com';

export async function cancel({ kubectl }: Cluster, { namespace, name }: BuildName): Promise<void> {
  const patch = JSON.stringify({ spec: { status: 'TaskRunCancelled' } });
  await kubectl.run(['patch', 'taskrun', name, '-n', namespace, '--type=merge', '-p', patch]);
}

/** Returns at once; the finalizer may hold it for a while. */
export async function remove({ kubectl }: Cluster, { namespace, name }: BuildName): Promise<void> {
  await kubectl.run(['delete', 'taskrun', name, '-n', namespace, '--wait=false']);
}

/** The TaskRun, once it is as `when` wants it. */
export async function untilBuild(
  cluster: Cluster,
  { namespace, name }: BuildName,
  what: string,
  when: (taskRun: Raw) => boolean,
): Promise<Raw> {
  let last: Raw;
  return until(
    async () => {
      last = await cluster.kubectl.json<Raw>(['get', 'taskrun', name, '-n', namespace]);
      return when(last) ? last : undefined;
    },
    async () =>
      `${name} never was ${what}: ${JSON.stringify(last.status?.conditions)}\n${await logOf(cluster, { namespace, name })}`,
  );
}

export async function untilGone({ kubectl }: Cluster, { namespace, name }: BuildName): Promise<void> {
  const get = ['get', 'taskrun', name, '-n', namespace, '--ignore-not-found', '-o', 'name'];
  await until(
    async () => ((await kubectl.run(get)) === '' ? true : undefined),
    () => `TaskRun ${name} was deleted and is still there`,
  );
}

/** The running TaskRun of ours of this type that works for a build. */
export async function untilOurs({ kubectl }: Cluster, build: BuildName, type: 'provision' | 'clean'): Promise<Raw> {
  const selector = [
    `${prefix}/task-type=${type}`,
    `${prefix}/user-task-name=${build.name}`,
    `${prefix}/user-task-namespace=${build.namespace}`,
  ].join(',');
  return until(
    async () => {
      const { items } = await kubectl.json<Raw>(['get', 'taskruns', '-n', operatorNamespace, '-l', selector]);
      return items.find((taskRun: Raw) => !taskRun.status?.completionTime);
    },
    () => `no ${type} TaskRun ever ran for ${build.name}`,
  );
}

export const hasSecret = (taskRun: Raw): boolean =>
  taskRun.metadata.annotations?.[`${prefix}/host-lease`]?.includes('"ready":true') === true;

export const isWaiting = (taskRun: Raw): boolean =>
  taskRun.metadata.labels?.[`${prefix}/waiting-for-platform`] !== undefined;

export const isReleased = (taskRun: Raw): boolean => (taskRun.metadata.finalizers ?? []).length === 0;
