// What launch-pod would make for given params, without making it: host-objects.jq with the defaults of launch.yaml.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Manifest } from '../../deploy/manifests.ts';

export const podTasks = join(import.meta.dirname, '../../../tasks/provider-pod');
export const token = 'mp-0123456789abcdef0123';

interface LaunchTask {
  readonly spec: { readonly params: readonly { readonly name: string; readonly default?: string }[] };
}

export interface HostObjects {
  readonly policy: Manifest;
  readonly secret: Manifest;
  readonly service: Manifest;
  readonly pod: Manifest;
}

const build = {
  LAUNCH_TOKEN: token,
  PLATFORM: 'linux/amd64',
  TASKRUN_NAME: 'hello',
  NAMESPACE: 'team-a',
  TASKRUN_UID: '00000000-0000-4000-8000-000000000001',
};
/** What the scripts add to the params. */
const found = {
  os: 'linux',
  arch: 'amd64',
  pod_port: '2222',
  operator_namespace: 'multi-platform-controller',
  away: 'false',
  OWN_TASK: 'launch-pod',
};
const files = ['client', 'host', 'host_public', 'start'];

export function launchParams(): LaunchTask['spec']['params'] {
  const task: LaunchTask = parse(readFileSync(join(podTasks, 'launch.yaml'), 'utf8'));
  return task.spec.params;
}

export function hostObjects(changed: Readonly<Record<string, string>> = {}): HostObjects {
  const folder = mkdtempSync(join(tmpdir(), 'host-objects-'));
  try {
    const contents = files.flatMap((name) => {
      writeFileSync(join(folder, name), `content of ${name}\n`);
      return ['--rawfile', name, join(folder, name)];
    });
    const defaults = Object.fromEntries(launchParams().map(({ name, default: value }) => [name, value ?? '']));
    const guarded = ['--argjson', 'guarded', '["10.96.0.1", "192.0.2.1", "2001:db8::1"]'];
    const said = execFileSync('jq', ['-nc', '-f', join(podTasks, 'host-objects.jq'), ...guarded, ...contents], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...defaults, ...build, ...found, ...changed },
    });
    const [policy, secret, service, pod] = said
      .trim()
      .split('\n')
      .map((line): Manifest => JSON.parse(line));
    if (!policy || !secret || !service || !pod) throw new Error(`not four objects: ${said}`);
    return { policy, secret, service, pod };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
