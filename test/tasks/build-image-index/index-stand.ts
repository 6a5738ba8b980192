// A machine with a registry and one image for each of several platforms in it, on which tasks/build-image-index runs as Tekton runs it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { registry, startRegistry, TaskRun } from '../../taskgen/played-task-run.ts';
import type { Spec } from '../../taskgen/played-task-run.ts';
import { openWorld } from '../../taskgen/remote-build/world.ts';
import type { Outcome, World } from '../../taskgen/remote-build/world.ts';

const file = join(import.meta.dirname, '../../../tasks/build-image-index/task.yaml');
const { spec }: { spec: Spec } = parse(readFileSync(file, 'utf8'));
export const repository = `${registry}/team/app`;

/** How each image is built; `elsewhere` is in another repository. */
const builds = [
  { name: 'amd64', options: '--platform linux/amd64' },
  { name: 'arm64', options: '--platform linux/arm64' },
  { name: 'armv7', options: '--platform linux/arm/v7' },
  { name: 'docker', options: '--platform linux/s390x --format docker' },
  { name: 'elsewhere', options: '--platform linux/ppc64le' },
] as const;

type Images = Record<(typeof builds)[number]['name'], string>;

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
];

export interface PlatformResult {
  readonly platform: string;
  readonly status: string;
  readonly digest: string;
  readonly size: number;
  readonly message: string;
}

export interface FinishedIndex extends Outcome {
  readonly taskRun: TaskRun;
  readonly results: () => PlatformResult[];
}

/** As the report of the Task that built says it. */
export function report(status: string, image: string, message = ''): string {
  return JSON.stringify({ status, image, message });
}

export class IndexStand {
  readonly world: World;
  /** Repository and digest of each. */
  readonly images: Readonly<Images>;
  #count = 0;

  private constructor(world: World, images: Readonly<Images>) {
    this.world = world;
    this.images = images;
  }

  static async open(): Promise<IndexStand> {
    const world = await openWorld();
    await startRegistry(world);
    const images: Images = { amd64: '', arm64: '', armv7: '', docker: '', elsewhere: '' };
    for (const { name, options } of builds) images[name] = await push(world, name, options);
    return new IndexStand(world, images);
  }

  async run(values: Readonly<Record<string, string | readonly string[]>>): Promise<FinishedIndex> {
    const given = { name: `index-${(this.#count += 1)}`, secret: {}, values: { TLSVERIFY: 'false', ...values } };
    const taskRun = new TaskRun(this.world, { ...spec, volumes: [] }, given);
    const outcome = await taskRun.step(spec.steps[0]!);
    const results = (): PlatformResult[] => JSON.parse(taskRun.result('PLATFORM_RESULTS'));
    return { ...outcome, taskRun, results };
  }

  /** Empty when the registry has none. */
  async manifest(reference: string): Promise<string> {
    const [, path, version] = /^[^/]+\/(.+?)[:@]([^:@]+(?::[^:@]+)?)$/.exec(reference) ?? [];
    const url = `${registry}/v2/${path}/manifests/${version}`;
    return (await this.world.run(`curl -sf -H 'Accept: ${manifestTypes.join(', ')}' ${url}`)).stdout;
  }
}

async function push(world: World, name: string, options: string): Promise<string> {
  const target = name === 'elsewhere' ? `${registry}/team/other` : repository;
  const { code, stdout, stderr } = await world.run(
    `mkdir -p /tmp/${name} && cd /tmp/${name} && echo ${name} >file && printf 'FROM scratch\\nCOPY file /\\n' >Dockerfile &&
     buildah build -q ${options} -t ${name} . >/dev/null &&
     buildah push -q --tls-verify=false --digestfile digest ${name} docker://${target}:${name} && cat digest`,
  );
  expect(code, stderr).to.equal(0);
  return `${target}@${stdout.trim()}`;
}
