// What the runner image has at /usr/local/lib/multi-platform, on the machine of a test, which stands for the images of all steps.

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { World } from './remote-build/world.ts';

const scripts = ['prepare-build.sh', 'dockerfile-bases.sh'];

export async function installRunner(world: World): Promise<void> {
  const stage = join(world.root, 'tmp/runner');
  mkdirSync(stage, { recursive: true });
  for (const name of scripts) cpSync(join(import.meta.dirname, '../../tasks/runner', name), join(stage, name));
  const { code, stderr } = await world.run(
    'mkdir -p /usr/local/lib && cp -r /tmp/runner /usr/local/lib/multi-platform',
  );
  expect(code, stderr).to.equal(0);
}
