// What a build may leave behind: nothing. Looks at the hosts as root and at the cluster as its administrator, and names what it finds.
import type { Host } from './host.ts';
import type { Kubectl } from './kubectl.ts';
import { shared } from './shared-cluster.ts';
import { until } from './until.ts';

interface Listed {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly namespace: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly finalizers?: readonly string[];
    };
  }[];
}

const labelPrefix = 'build.appstudio.redhat.com';

/** A line for everything that was not there when the host was new, but for the lock of root's podman, which care of the host uses. */
const hostScript = `
  list() { sed "s|^|$1: |"; }
  getent passwd | grep '^u-' | list user
  getent group | grep '^u-' | list group
  grep -h '^u-' /etc/subuid /etc/subgid | list 'subordinate ids'
  ls -A /home | list home
  ls -A /etc/security/limits.d /etc/sudoers.d | grep '^u-' | list 'limits or sudo rules'
  find /tmp /var/tmp /dev/shm /run/user -mindepth 1 ! -path /dev/shm/libpod_lock 2>/dev/null | list file
  ls -A /var/lib/multi-platform/users 2>/dev/null | list 'known user'
  grep -o ' /home/[^ ]*' /proc/self/mountinfo | list mount
  ps -eo user:32,args --no-headers | awk '$1 != "root" && $1 != "sshd"' | list process
  true`;

/** Returns when hosts and cluster are as if the builds of this namespace had never been; says what is left when that does not happen. */
export async function untilClean(namespace: string): Promise<void> {
  await untilEmpty(async () => [...(await leftOnHosts()), ...(await leftInCluster(namespace))]);
}

/** For builds of hosts that refuse every cleanup: all but our TaskRuns. */
export async function untilCleanButOurTaskRuns(namespace: string): Promise<void> {
  const { kubectl } = shared().cluster;
  await untilEmpty(async () => [...(await leftOnHosts()), ...(await leftOfBuilds(kubectl, namespace))]);
}

async function untilEmpty(look: () => Promise<string[]>): Promise<void> {
  let left: readonly string[] = [];
  await until(
    async () => {
      left = await look();
      return left.length === 0 ? true : undefined;
    },
    () => `something is left:\n${left.join('\n')}`,
  );
}

async function leftOnHosts(): Promise<string[]> {
  const { host: amd64Host, arm64Host } = shared();
  const look = async (host: Host): Promise<string[]> => {
    const said = await host.run(hostScript);
    return said
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `host ${host.name}: ${line}`);
  };
  return (await Promise.all([amd64Host, arm64Host].map(look))).flat();
}

async function leftInCluster(namespace: string): Promise<string[]> {
  const { kubectl } = shared().cluster;
  const ours = await ourTaskRuns(kubectl, namespace);
  return [...ours.map((name) => `TaskRun ${name} of ours`), ...(await leftOfBuilds(kubectl, namespace))];
}

/** Names of our TaskRuns that work, or worked, for builds of a namespace. */
export async function ourTaskRuns(kubectl: Kubectl, namespace: string): Promise<string[]> {
  const selector = `${labelPrefix}/user-task-namespace=${namespace}`;
  const { items } = await kubectl.json<Listed>(['get', 'taskruns', '-n', 'multi-platform-controller', '-l', selector]);
  return items.map(({ metadata }) => metadata.name);
}

async function leftOfBuilds(kubectl: Kubectl, namespace: string): Promise<string[]> {
  const secrets = await kubectl.json<Listed>(['get', 'secrets', '-n', namespace]);
  const taskRuns = await kubectl.json<Listed>(['get', 'taskruns', '-n', namespace]);
  const isHeld = ({ metadata }: Listed['items'][number]): boolean =>
    (metadata.finalizers ?? []).length > 0 || metadata.labels?.[`${labelPrefix}/waiting-for-platform`] !== undefined;
  return [
    ...secrets.items
      .filter(({ metadata }) => metadata.name.startsWith('multi-platform-ssh-'))
      .map(({ metadata }) => `Secret ${metadata.namespace}/${metadata.name}`),
    ...taskRuns.items.filter(isHeld).map(({ metadata }) => `a finalizer or waiting label on TaskRun ${metadata.name}`),
  ];
}
