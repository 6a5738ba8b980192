// Runs a Task of tasks/ as Tekton would: reads its YAML, fills in params, workspace and results, starts the step's command
// with its scripts mounted from the ConfigMap that kustomization.yaml describes. Knows nothing of what the scripts do.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { BuildHost } from './build-host.ts';

const tasksFolder = join(import.meta.dirname, '../../tasks');
/** The uid of the runner image, and one as OpenShift would choose: without a name. */
export const imageUid = 65532;
export const randomUid = 1000680000;

export interface TaskInput {
  readonly task:
    'provision-shared-host' | 'clean-shared-host' | 'update-host' | 'launch-pod' | 'terminate-pod' | 'list-pod';
  readonly params: Readonly<Record<string, string>>;
  /** Keys of the host's ssh Secret. */
  readonly ssh?: Readonly<Record<string, string>>;
  /** Keys of the Secret of workspace `credentials`; without them it is not bound. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Other files of the pod, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** What an admin patched into the step's env, and what Kubernetes adds. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

export interface TaskOutcome {
  readonly code: number;
  readonly log: string;
  readonly results: Readonly<Record<string, string>>;
}

interface TaskYaml {
  readonly spec: {
    readonly params: readonly { readonly name: string; readonly default?: string }[];
    readonly steps: readonly {
      readonly command: readonly string[];
      /** Without a value: from the pod itself; tests give it as an admin would. */
      readonly env: { readonly name: string; readonly value?: string }[];
    }[];
  };
}

interface KustomizationYaml {
  readonly configMapGenerator: readonly { readonly name: string; readonly files: readonly string[] }[];
}

export async function runTask(host: Pick<BuildHost, 'network'>, input: TaskInput): Promise<TaskOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'task-pod-'));
  try {
    const task: TaskYaml = parse(readFileSync(join(tasksFolder, fileOf(input.task)), 'utf8'));
    const step = task.spec.steps[0]!;
    writePodFiles(folder, input);
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...environmentOf(task, input), ...input.env };
    writeFileSync(
      join(folder, 'env'),
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\0`)
        .join(''),
    );
    const pod = [join(import.meta.dirname, 'task-pod.sh'), folder, String(input.uid ?? imageUid), ...step.command];
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
    const { code, log } = await outcomeOf('nsenter', [...host.network, 'unshare', ...namespaces, 'bash', ...pod]);
    return { code, log, results: readResults(join(folder, 'results')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A provider is a folder of Tasks, `<verb>.yaml`; others have a folder of their own. */
function fileOf(task: TaskInput['task']): string {
  const [, verb, type] = /^(launch|terminate|list)-(.+)$/.exec(task) ?? [];
  return verb === undefined ? `${task}/task.yaml` : `provider-${type}/${verb}.yaml`;
}

/** Values are data for Tekton too: one pass, and what a value contains is not looked at again. */
function environmentOf(task: TaskYaml, input: TaskInput): Record<string, string> {
  const params = new Map(task.spec.params.map(({ name, default: value }) => [name, input.params[name] ?? value]));
  return Object.fromEntries(
    task.spec.steps[0]!.env.flatMap(({ name, value }) =>
      value === undefined
        ? []
        : [[name, value.replace(/\$\(([^)]+)\)/g, (_, reference: string) => resolve(reference, params, input))]],
    ),
  );
}

function resolve(reference: string, params: ReadonlyMap<string, string | undefined>, input: TaskInput): string {
  const [kind, name, field] = reference.split('.');
  const bound = name === 'ssh' || input.credentials !== undefined;
  if (kind === 'workspaces' && field === 'bound') return String(bound);
  if (kind === 'workspaces') return bound ? `/workspace/${name}` : '';
  if (kind === 'results') return `/tekton/results/${name}`;
  if (kind === 'context') return `of-${reference}`;
  const value = params.get(name ?? '');
  if (kind !== 'params' || value === undefined) throw new Error(`the Task needs ${reference}`);
  return value;
}

function writePodFiles(folder: string, input: TaskInput): void {
  const files: Record<string, string> = { ...input.files };
  for (const [key, value] of Object.entries(input.ssh ?? {})) files[`/workspace/ssh/${key}`] = value;
  for (const [key, value] of Object.entries(input.credentials ?? {})) files[`/workspace/credentials/${key}`] = value;
  files['/etc/passwd'] =
    `${readFileSync('/etc/passwd', 'utf8')}runner:x:${imageUid}:${imageUid}::/home/runner:/bin/bash\n`;
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'files', path)), { recursive: true });
    writeFileSync(join(folder, 'files', path), text);
  }
  cpSync(
    join(tasksFolder, 'runner/name-for-uid.sh'),
    join(folder, 'files/usr/local/lib/multi-platform/name-for-uid.sh'),
  );
  for (const script of scriptsOf(input.task))
    cpSync(join(tasksFolder, script), join(folder, 'files/scripts', basename(script)));
  mkdirSync(join(folder, 'results'));
  // As Tekton's emptyDir for results: any uid may write.
  chmodSync(join(folder, 'results'), 0o777);
}

function scriptsOf(task: string): readonly string[] {
  const kustomization: KustomizationYaml = parse(readFileSync(join(tasksFolder, 'kustomization.yaml'), 'utf8'));
  return kustomization.configMapGenerator.find(({ name }) => name === `${task}-script`)?.files ?? [];
}

function outcomeOf(command: string, args: readonly string[]): Promise<{ code: number; log: string }> {
  return new Promise((resolved, rejected) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += String(chunk)));
    child.once('error', rejected);
    child.once('close', (code) => resolved({ code: code ?? 255, log }));
  });
}

function readResults(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
