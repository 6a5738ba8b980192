// Makes dist/: the controller, the key server and taskgen, each one file that needs only Node. Does nothing when nothing they are made of has changed.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const record = join(dist, '.inputs.json');
/** For write-sbom.ts. */
const packagesRecord = join(dist, '.packages.json');
const programs = {
  controller: 'controller/main.ts',
  'otp-server': 'controller/otp-server/main.ts',
  taskgen: 'taskgen/main.ts',
};
/** What taskgen reads at run time, next to itself. */
const texts = ['taskgen/remote-build', 'taskgen/build-local.sh', 'taskgen/defer-push.sh', 'taskgen/same-step.sh'];

/** Besides the bundled sources. The lock file stands for everything below node_modules. */
function otherInputs(): string[] {
  const textFiles = texts.flatMap((text) => {
    const path = join(root, text);
    if (!statSync(path).isDirectory()) return [text];
    return readdirSync(path).map((name) => `${text}/${name}`);
  });
  const ours = ['bundle.ts', 'bundle-options.ts', 'without-models.ts'].map((name) => `deploy/images/${name}`);
  return ['package-lock.json', ...ours, ...textFiles];
}

type Digests = Record<string, string>;

function digests(files: readonly string[]): Digests {
  const digest = (file: string): string =>
    existsSync(join(root, file))
      ? createHash('sha256')
          .update(readFileSync(join(root, file)))
          .digest('hex')
      : 'gone';
  return Object.fromEntries(files.map((file) => [file, digest(file)]));
}

function isCurrent(): boolean {
  const outputs = Object.keys(programs).map((name) => join(dist, `${name}.mjs`));
  if (![record, packagesRecord, ...outputs].every((file) => existsSync(file))) return false;
  const before: Digests = JSON.parse(readFileSync(record, 'utf8'));
  const now = digests([...Object.keys(before), ...otherInputs()]);
  return Object.entries(now).every(([file, digest]) => before[file] === digest);
}

async function bundle(): Promise<Metafile> {
  const { metafile } = await build({
    ...bundleOptions,
    entryPoints: programs,
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    legalComments: 'external',
    metafile: true,
  });
  return metafile;
}

/** Folders of the npm packages each program has something of. */
function packagesOf(outputs: Metafile['outputs']): Record<string, string[]> {
  const folderOf = (input: string): string[] => /^(.*node_modules\/(@[^/]+\/)?[^/]+)\//.exec(input)?.slice(1, 2) ?? [];
  const used = (name: string): string[] =>
    Object.entries(outputs[`dist/${name}.mjs`]?.inputs ?? {}).flatMap(([input, { bytesInOutput }]) =>
      bytesInOutput > 0 ? folderOf(input) : [],
    );
  return Object.fromEntries(Object.keys(programs).map((name) => [name, [...new Set(used(name))].toSorted()]));
}

if (!isCurrent()) {
  rmSync(record, { force: true });
  mkdirSync(dist, { recursive: true });
  const { inputs, outputs } = await bundle();
  for (const text of texts) {
    const target = join(dist, text.slice(text.indexOf('/') + 1));
    rmSync(target, { recursive: true, force: true });
    cpSync(join(root, text), target, { recursive: true });
  }
  chmodSync(join(dist, 'taskgen.mjs'), 0o755);
  const sources = Object.keys(inputs).filter((file) => !file.startsWith('node_modules/'));
  writeFileSync(packagesRecord, JSON.stringify(packagesOf(outputs), null, 1));
  writeFileSync(record, JSON.stringify(digests([...sources, ...otherInputs()]), null, 1));
}
