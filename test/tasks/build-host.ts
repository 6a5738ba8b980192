// A real build host for tests: sshd, sudo and podman of this machine, in namespaces of their own (build-host.sh).
// Owns the processes and the folder it makes; stop() ends and removes all of them.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const programs = {
  sshd: 'openssh-server',
  visudo: 'sudo',
  podman: 'podman',
  jq: 'jq',
  curl: 'curl',
  unshare: 'util-linux',
};

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class BuildHost {
  /** Addresses of the host: as the tasks know it, and one in its network where nobody answers. */
  readonly address = '127.0.0.1';
  readonly silentAddress = '10.99.0.77';
  readonly #unshare: ChildProcess;
  readonly #folder: string;
  readonly #init: number;

  private constructor(unshare: ChildProcess, folder: string, init: number) {
    this.#unshare = unshare;
    this.#folder = folder;
    this.#init = init;
  }

  static async start(): Promise<BuildHost> {
    requirePrograms();
    const folder = mkdtempSync(join(tmpdir(), 'build-host-'));
    const script = join(import.meta.dirname, 'build-host.sh');
    const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child'];
    const unshare = spawn('unshare', [...namespaces, 'bash', script, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [unshare.stdout, unshare.stderr])
      stream.on('data', (chunk: Buffer) => (said += String(chunk)));
    while (!said.includes('Server listening on 0.0.0.0 port 22')) {
      if (unshare.exitCode !== null) throw new Error(`the build host did not start: ${said}`);
      await sleep(20);
    }
    const init = Number(readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').trim());
    return new BuildHost(unshare, folder, init);
  }

  /** Arguments of nsenter for the network of the host, where the pods of the tasks run too. */
  get network(): readonly string[] {
    return [`--net=/proc/${this.#init}/ns/net`];
  }

  /** Runs shell text on the host as root. */
  run(script: string): CommandOutcome {
    return outcomeOf('nsenter', ['-t', String(this.#init), '-a', '-r', '-w', 'bash', '-c', script]);
  }

  /** The same, for text that must succeed. */
  read(script: string): string {
    const { code, stdout, stderr } = this.run(script);
    if (code !== 0) throw new Error(`on the build host: ${script}: ${code} ${stderr}`);
    return stdout.trimEnd();
  }

  get adminKey(): string {
    return `${this.read('cat /root/.ssh/admin')}\n`;
  }

  /** As ssh-keyscan would print it. */
  get knownHosts(): string {
    return `${this.address} ${this.read("cut -d' ' -f1,2 /etc/ssh/test_host_key.pub")}\n`;
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#unshare.once('exit', resolve));
    this.#unshare.kill('SIGKILL');
    await exited;
    // The mounts of the namespace go a moment after its last process.
    while (existsSync(`/proc/${this.#init}`)) await sleep(10);
    rmdirSync(this.#folder);
  }
}

function outcomeOf(command: string, args: readonly string[]): CommandOutcome {
  // No timer of a test ends what this waits for.
  const limits = { timeout: 100_000, killSignal: 'SIGKILL' } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...limits });
  if (error) throw error;
  return { code: status ?? 255, stdout, stderr };
}

function requirePrograms(): void {
  const missing = Object.entries(programs).filter(([program]) => spawnSync('which', [program]).status !== 0);
  // No program: the library that lets a pod run under a uid without a name.
  const loaded = spawnSync('/bin/true', { env: { LD_PRELOAD: 'libnss_wrapper.so' } });
  const library = loaded.stderr.length > 0 ? ['libnss-wrapper'] : [];
  const packages = [...missing.map(([, name]) => name), ...library].join(' ');
  if (packages) throw new Error(`these tests need: apt-get install -y --no-install-recommends ${packages}`);
}
