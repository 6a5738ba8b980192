// Pod hosts without the controller: launch and terminate TaskRuns as it makes them, and a build's way in with the Secret it gets.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Raw } from './build.ts';
import type { BuildName } from './interrupt.ts';
import { shared } from './shared-cluster.ts';
import { until } from './until.ts';

const operatorNamespace = 'multi-platform-controller';
const hostsNamespace = 'multi-platform-hosts';

/** A TaskRun of ours, once it is done. */
export async function runOurs(task: string, name: string, params: Readonly<Record<string, string>>): Promise<Raw> {
  const { kubectl } = shared().cluster;
  const taskRun = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace: operatorNamespace },
    spec: {
      serviceAccountName: 'multi-platform-launch',
      taskRef: { name: task },
      params: Object.entries(params).map(([param, value]) => ({ name: param, value })),
    },
  };
  await kubectl.run(['create', '-f', '-'], JSON.stringify(taskRun));
  const get = ['get', 'taskrun', name, '-n', operatorNamespace, '--ignore-not-found', '-o', 'json'];
  return until(
    async () => {
      const said = await kubectl.run(get);
      if (said === '') throw new Error(`TaskRun ${name} is gone`);
      const found: Raw = JSON.parse(said);
      return found.status?.completionTime === undefined ? undefined : found;
    },
    () => `TaskRun ${name} never ended`,
  );
}

export function ourResult(taskRun: Raw, name: string): string | undefined {
  return taskRun.status.results?.find((result: Raw) => result.name === name)?.value;
}

/** The build's Secret; an Error with the launch's own sentence when there is none. */
export async function launchPod(
  token: string,
  build: BuildName,
  params: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const { kubectl } = shared().cluster;
  const secretName = `multi-platform-ssh-${build.name}`;
  const done = await runOurs('launch-pod', `launch-${token}`, {
    LAUNCH_TOKEN: token,
    PLATFORM: 'linux/amd64',
    TASKRUN_NAME: build.name,
    NAMESPACE: build.namespace,
    SECRET_NAME: secretName,
    ALLOCATION_TIMEOUT: '300',
    ...params,
  });
  if (done.status.conditions[0].status !== 'True')
    throw new Error(`${ourResult(done, 'REASON')}: ${ourResult(done, 'MESSAGE')}`);
  const secret = await kubectl.json<Raw>(['get', 'secret', secretName, '-n', build.namespace]);
  const values = Object.entries<string>(secret.data);
  return Object.fromEntries(values.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

export async function terminatePod(token: string): Promise<Raw> {
  return runOurs('terminate-pod', `terminate-${token}`, { LAUNCH_TOKEN: token });
}

/** What of a host there still is, by kind and name. */
export async function leftOfHost(token: string): Promise<string> {
  const kinds = 'pods,services,secrets,networkpolicies';
  const selector = `build.appstudio.redhat.com/launch-token=${token}`;
  return shared().cluster.kubectl.run(['get', kinds, '-n', hostsNamespace, '-l', selector, '-o', 'name']);
}

/** What of hosts for builds of a namespace there still is, by kind and name. */
export async function leftOfHostsFor(namespace: string): Promise<string> {
  const kinds = 'pods,services,secrets,networkpolicies';
  const selector = `build.appstudio.redhat.com/user-task-namespace=${namespace}`;
  return shared().cluster.kubectl.run(['get', kinds, '-n', hostsNamespace, '-l', selector, '-o', 'name']);
}

/** As a stock build task does it: ssh with the keys of the Secret, from inside the cluster's network. */
export async function logInAs(
  secret: Readonly<Record<string, string>>,
  command: string,
): Promise<{ readonly status: number; readonly said: string }> {
  const { cluster } = shared();
  const folder = mkdtempSync(join(dirname(cluster.kubeconfig), 'login-'));
  try {
    for (const name of ['id_rsa', 'known_hosts'])
      writeFileSync(join(folder, name), secret[name] ?? '', { mode: 0o600 });
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${join(folder, 'known_hosts')}`];
    const ssh = ['ssh', '-F', 'none', '-i', join(folder, 'id_rsa'), ...options.flatMap((option) => ['-o', option])];
    const { status, stdout, stderr } = await cluster.exec([...ssh, secret['host']!.trim(), command]);
    return { status, said: stdout + (status === 0 ? '' : stderr) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
