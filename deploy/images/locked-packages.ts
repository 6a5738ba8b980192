// The npm packages of this repository as package-lock.json pins them, with the licences they declare. Asks no registry.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LockedPackage {
  /** Below the root of the repository: `node_modules/…`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** As an SPDX expression; undefined: it declares none. */
  readonly licence: string | undefined;
  /** Needed to run the product, not only to make or test it. */
  readonly shipped: boolean;
}

interface LockEntry {
  readonly version: string;
  readonly license?: string;
  readonly dev?: true;
  readonly link?: true;
}

export function lockedPackages(root: string): LockedPackage[] {
  const lock: { packages: Record<string, LockEntry> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(lock.packages).flatMap(([folder, { version, license, dev, link }]) =>
    // The first is the repository itself.
    folder === '' || link === true
      ? []
      : [{ folder, name: nameOf(folder), version, licence: license, shipped: dev !== true }],
  );
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
