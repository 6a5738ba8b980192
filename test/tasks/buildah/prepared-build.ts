// Runs the first step of the buildah Task (tasks/runner/prepare-build.sh) as its Task does, in a source folder of its own that is gone afterwards.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const script = join(import.meta.dirname, '../../../tasks/runner/prepare-build.sh');
const parameters = {
  DOCKERFILE: './Dockerfile', CONTEXT: '.', TARGET_STAGE: '', FROM: '', RUNTIME_STAGE_FROM: '', BUILD_ARGS_FILE: '',
  REQUEST_CPU: '', REQUEST_MEMORY: '', LIMIT_CPU: '', LIMIT_MEMORY: '',
}; // prettier-ignore

export interface PreparedBuild {
  readonly code: number | null;
  readonly stderr: string;
  /** What the next steps find in /prepared; undefined: nothing. */
  readonly file: (name: 'Dockerfile' | 'registries.conf' | 'podman-arguments') => string | undefined;
}

export interface Given {
  /** File name → content; folders are made. */
  readonly files?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Partial<Record<keyof typeof parameters, string>>>;
  readonly words?: readonly string[];
}

export function prepareBuild({ files = {}, parameters: given = {}, words = [] }: Given): PreparedBuild {
  const folder = mkdtempSync(join(tmpdir(), 'prepare-build-'));
  try {
    const [source, prepared] = [join(folder, 'source'), join(folder, 'prepared')];
    for (const [name, content] of Object.entries({ '.keep': '', ...files })) {
      mkdirSync(dirname(join(source, name)), { recursive: true });
      writeFileSync(join(source, name), content);
    }
    mkdirSync(prepared);
    const env = { PATH: process.env['PATH'] ?? '', PREPARED: prepared, ...parameters, ...given };
    const { status, stderr } = spawnSync('bash', [script, ...words], { cwd: source, env, encoding: 'utf8' });
    const written = new Map(
      ['Dockerfile', 'registries.conf', 'podman-arguments']
        .filter((name) => existsSync(join(prepared, name)))
        .map((name) => [name, readFileSync(join(prepared, name), 'utf8')]),
    );
    return { code: status, stderr, file: (name) => written.get(name) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
