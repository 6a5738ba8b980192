// The controller as one file, made from the sources as they are now: it starts four times as fast as they do, and
// scenarios start it often. One for each test process, gone with it.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../deploy/images/bundle-options.ts';

let made: Promise<string> | undefined;

/** Path of the file. */
export function controllerBundle(): Promise<string> {
  made ??= bundle();
  return made;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    ...bundleOptions,
    entryPoints: ['controller/main.ts'],
    write: false,
    legalComments: 'none',
  });
  const folder = await mkdtemp(join(tmpdir(), 'controller-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'controller.mjs');
  await writeFile(file, outputFiles[0]?.contents ?? '');
  return file;
}
