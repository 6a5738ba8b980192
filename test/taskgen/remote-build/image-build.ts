// A build of an image as tests of its way back use it, and the step that takes it in. What must come of it is said in the tests.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Build, RunningBuild } from './build.ts';
import type { Outcome, World } from './world.ts';

export const source = '/workspace/source';

const containerfile = [
  'FROM scratch',
  'COPY busybox /bin/sh',
  'COPY busybox /bin/busybox',
  'RUN busybox echo made-by-run >/proof',
  'LABEL a=b',
].join('\n');

export function imageBuild(image: string): Build {
  return {
    script: 'cp /bin/busybox .\nbuildah bud -q -t "$IMAGE" .',
    env: { IMAGE: image },
    files: { [`${source}/Containerfile`]: containerfile },
    mounts: [
      { path: source, sync: 'in' },
      { path: '/var/lib/containers', sync: 'storage' },
    ],
    settings: { MP_RESULT_IMAGE: image, MP_WORKDIR: source },
  };
}

/** The step after the build, with container storage of its own. */
export class LocalStep {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    cpSync(join(import.meta.dirname, '../../../taskgen/build-local.sh'), join(world.root, 'tmp/build-local.sh'));
  }

  run(built: RunningBuild, variables: string, { args = '', prelude = '' } = {}): Promise<Outcome> {
    const pod = built.folder.slice(this.#world.root.length);
    const volumes = `for f in mp-shared tekton; do mount --bind ${pod}/volumes/$f /$f; done`;
    return this.inStorage(`${prelude}${volumes}; ${variables} sh /tmp/build-local.sh ${args}`);
  }

  inStorage(script: string): Promise<Outcome> {
    const configure = 'mkdir -p /tmp/pod-storage; mount --bind /tmp/pod-storage /var/lib/containers';
    return this.#world.run(`exec unshare --mount bash -c '${`${configure}; ${script}`.replaceAll("'", `'\\''`)}'`);
  }

  /** Names of what is there, and what the image says of itself. */
  async images(): Promise<string> {
    return (await this.inStorage("buildah --storage-driver vfs images --format '{{.Name}}:{{.Tag}}'")).stdout;
  }

  async proof(image: string): Promise<string> {
    const script = `c=$(buildah --storage-driver vfs from ${image}); cat "$(buildah --storage-driver vfs mount "$c")/proof"`;
    return (await this.inStorage(script)).stdout;
  }

  async forget(): Promise<void> {
    await this.#world.run('rm -rf /tmp/pod-storage');
  }
}
