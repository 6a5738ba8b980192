// What Tekton and the kubelet do for one TaskRun, as far as tests of generated Tasks need it: references, volumes, one step after the other.
// Images of steps are the machine of the test; the registry is a real one in it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Outcome, World } from './remote-build/world.ts';

export const registry = '127.0.0.1:5000';

export interface Named {
  readonly name: string;
}
interface Variable extends Named {
  readonly value: string;
}
export interface Step extends Named {
  readonly image?: string;
  readonly script: string;
  readonly workingDir?: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly volumeMounts?: readonly (Named & { readonly mountPath: string })[];
}
export interface Spec {
  readonly params: readonly (Named & { readonly default?: string | readonly string[] })[];
  readonly stepTemplate?: { readonly env: readonly Variable[] };
  readonly volumes: readonly Named[];
  readonly steps: readonly Step[];
}

interface Given {
  readonly name: string;
  readonly secret: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string | readonly string[]>>;
}

export async function startRegistry(world: World): Promise<void> {
  const config = `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /tmp/registry\nhttp:\n  addr: ${registry}\n`;
  writeFileSync(join(world.root, 'tmp/registry.yaml'), config);
  const { code, stderr } = await world.run(
    `docker-registry serve /tmp/registry.yaml >/dev/null 2>&1 &
    until (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null; do sleep 0.1; done`,
  );
  expect(code, stderr).to.equal(0);
}

export class TaskRun {
  readonly name: string;
  readonly folder: string;
  readonly image: string;
  readonly #spec: Spec;
  readonly #world: World;
  readonly #values: Readonly<Record<string, string | readonly string[]>>;

  constructor(world: World, spec: Spec, { name, secret, values }: Given) {
    this.#world = world;
    this.#spec = spec;
    this.name = name;
    this.folder = `/tmp/pod-${name}`;
    this.image = `${registry}/team/app:${name}`;
    const defaults = Object.fromEntries(spec.params.map((parameter) => [parameter.name, parameter.default ?? '']));
    this.#values = { ...defaults, IMAGE: this.image, ...values };
    for (const volume of [...spec.volumes.map((it) => it.name), 'source/app', 'results']) {
      mkdirSync(join(world.root, this.folder, volume), { recursive: true });
    }
    for (const [key, value] of Object.entries(secret)) writeFileSync(join(world.root, this.folder, 'ssh', key), value);
  }

  writeSource(files: Readonly<Record<string, string>>): void {
    const folder = join(this.#world.root, this.folder, 'source/app');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  }

  /** A file that the steps wrote beside the source. */
  source(name: string): string {
    return readFileSync(join(this.#world.root, this.folder, 'source/app', name), 'utf8');
  }

  result(name: string): string {
    return readFileSync(join(this.#world.root, this.folder, 'results', name), 'utf8');
  }

  async step(step: Step): Promise<Outcome> {
    const script = join(this.folder, step.name);
    writeFileSync(join(this.#world.root, script), this.#substitute(step.script), { mode: 0o755 });
    const variables = [...(this.#spec.stepTemplate?.env ?? []), ...(step.env ?? [])].map(
      ({ name, value }) => `${name}=${this.#substitute(value)}`,
    );
    const mounts = [
      ...(step.volumeMounts ?? []).map(({ name, mountPath }) => [name, mountPath]),
      ['source', '/workspace/source'],
      ['results', '/tekton/results'],
    ].map(([volume, path]) => `mkdir -p ${path} && mount --bind ${this.folder}/${volume} ${path}`);
    const command = `${mounts.join('\n')}\ncd ${this.#substitute(step.workingDir ?? '/')}\nexec env -i "$@"`;
    const inherited = ['HOME=/root', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    const words = [...inherited, ...variables, script, ...(step.args ?? []).flatMap((word) => this.#argument(word))];
    return this.#outcome(['unshare', '--mount', 'bash', '-ec', command, 'step', ...words]);
  }

  async #outcome(command: readonly string[]): Promise<Outcome> {
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    return this.#world.run(`exec ${quoted}`);
  }

  #argument(word: string): readonly string[] {
    const [, name] = /^\$\(params\.(\w+)\[\*\]\)$/.exec(word) ?? [];
    return name === undefined ? [this.#substitute(word)] : [this.#values[name] ?? []].flat();
  }

  #substitute(text: string): string {
    return text.replace(
      /\$\((params|workspaces|results|context)\.([\w.]+)\)/g,
      (reference, kind: string, rest: string) => {
        if (kind === 'params') return String(this.#values[rest] ?? reference);
        if (kind === 'results') return `/tekton/results/${rest.replace(/\.path$/, '')}`;
        if (kind === 'context') return `${this.name}-${rest.split('.').at(-1)}`;
        if (rest.startsWith('source.')) return rest.endsWith('.bound') ? 'true' : '/workspace/source';
        return rest.endsWith('.bound') ? 'false' : '';
      },
    );
  }
}
