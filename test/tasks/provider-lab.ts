// What every test of the tasks needs: one build host, one API server, and short ways to provision, clean and log in.
// Each build gets a TaskRun name of its own, so that tests in one file do not meet.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildHost, type CommandOutcome } from './build-host.ts';
import { runTask, type TaskInput, type TaskOutcome } from './run-task.ts';
import { TenantApi } from './tenant-api.ts';

export interface Build {
  readonly name: string;
  readonly namespace: string;
  readonly secret: string;
  readonly params: Readonly<Record<string, string>>;
}

export class ProviderLab {
  readonly host: BuildHost;
  readonly api: TenantApi;
  readonly #folder = mkdtempSync(join(tmpdir(), 'provider-lab-'));
  #builds = 0;

  private constructor(host: BuildHost, api: TenantApi) {
    this.host = host;
    this.api = api;
  }

  static async start(): Promise<ProviderLab> {
    const host = await BuildHost.start();
    const api = await TenantApi.start(host);
    await api.createNamespace('team-a');
    await api.createNamespace('team-b');
    return new ProviderLab(host, api);
  }

  /** The params the controller sends; `changed` ones instead of them. */
  aBuild(changed: Readonly<Record<string, string>> = {}): Build {
    this.#builds += 1;
    const name = changed['TASKRUN_NAME'] ?? `build-${this.#builds}`;
    const params = {
      SECRET_NAME: `multi-platform-ssh-${name}`,
      TASKRUN_NAME: name,
      NAMESPACE: 'team-a',
      HOST: this.host.address,
      USER: 'root',
      SUDO_COMMANDS: '',
      RAW_PLATFORM: 'linux-amd64',
      INSTANCE_TAG: '',
      TASKRUN_UID: `00000000-0000-4000-8000-${String(this.#builds).padStart(12, '0')}`,
      ATTEMPT: '1',
      ...changed,
    };
    return { name, namespace: params.NAMESPACE, secret: params.SECRET_NAME, params };
  }

  provision(build: Build, other: Partial<TaskInput> = {}): Promise<TaskOutcome> {
    return this.#run('provision-shared-host', build.params, other);
  }

  clean(build: Build, other: Partial<TaskInput> = {}): Promise<TaskOutcome> {
    return this.#run('clean-shared-host', build.params, other);
  }

  update(other: Partial<TaskInput> = {}): Promise<TaskOutcome> {
    return this.#run(
      'update-host',
      { HOST: this.host.address, USER: 'root', PLATFORM: 'linux/amd64', CONCURRENCY: '4' },
      other,
    );
  }

  #run(
    task: TaskInput['task'],
    params: Readonly<Record<string, string>>,
    other: Partial<TaskInput>,
  ): Promise<TaskOutcome> {
    const files = { ...this.api.podFiles, ...other.files };
    const env = { ...this.api.podEnv, ...other.env };
    return runTask(this.host, { task, params, ssh: { id_rsa: this.host.adminKey }, ...other, files, env });
  }

  /** Name of the build's user, as its Secret says it. */
  async userOf(build: Build): Promise<string> {
    const { host } = await this.api.values(build.namespace, build.secret);
    return host!.split('@')[0]!;
  }

  /** Runs a command as the build does: with the key and the address of its Secret. */
  async logIn(build: Build, command: string): Promise<CommandOutcome> {
    const { host, id_rsa: key } = await this.api.values(build.namespace, build.secret);
    return this.logInWith(key!, host!.trim(), command);
  }

  logInWith(key: string, destination: string, command: string): CommandOutcome {
    const file = join(this.#folder, 'key');
    writeFileSync(file, key, { mode: 0o600 });
    const options = [
      'BatchMode=yes',
      'IdentitiesOnly=yes',
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
    ];
    const ssh = ['ssh', '-F', 'none', '-i', file, ...options.flatMap((option) => ['-o', option]), destination, command];
    const { status, stdout, stderr } = spawnSync('nsenter', [...this.host.network, ...ssh], { encoding: 'utf8' });
    return { code: status ?? 255, stdout, stderr };
  }

  async stop(): Promise<void> {
    rmSync(this.#folder, { recursive: true });
    await this.api.stop();
    await this.host.stop();
  }
}
