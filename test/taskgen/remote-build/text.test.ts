// The text that is embedded: whole, small, free of Tekton references, and deaf to whatever follows it.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scriptLoad } from '../../../taskgen/script-file.ts';
import { remoteBuildText } from '../../../taskgen/remote-build-text.ts';
import { runBuild } from './build.ts';
import { openWorld } from './world.ts';

const taskgen = join(import.meta.dirname, '../../../taskgen');
const parts = join(taskgen, 'remote-build');
const text = remoteBuildText(parts);
const asRoot = remoteBuildText(parts, { asRoot: true });
const lines = text.split('\n').slice(0, -1);

describe('the text of the remote script', function () {
  this.timeout(180_000);

  it('knows the line on which the script of the user begins', () => {
    const line = /^readonly MP_SCRIPT_LINE=(\d+)$/m.exec(text)?.[1];
    const withScript = `${text}: <<'X'\nfirst line of the user\nX\n`.split('\n');
    expect(withScript[Number(line) - 1]).to.equal('first line of the user');
  });

  it('opens with bash and a comment, and ends in exit', () => {
    expect(lines[0]).to.equal('#!/usr/bin/env bash');
    expect(lines[1]).to.match(/^# The build step of a remote Task/);
    expect(lines.at(-1)).to.equal('exit');
  });

  it('holds no reference of Tekton', () => {
    expect(
      asRoot.match(/\$\((params|workspaces|context|tasks?|steps?|results|credentials|inputs|outputs)\b[.[]/g),
    ).to.equal(null);
  });

  it('takes less than 42 % of what all scripts of a pod may take', () => {
    expect(scriptLoad([text])).to.be.below(42);
  });

  it('becomes root of the host only where that was asked for', () => {
    expect([text, asRoot].map((one) => one.includes('sudo'))).to.deep.equal([false, true]);
  });

  it('loses comments and blank lines of its parts, and nothing else', () => {
    const source = readdirSync(parts)
      .sort()
      .map((name) => readFileSync(join(parts, name), 'utf8'))
      .join('');
    const functionsOf = (script: string) => {
      const definitions = script
        .replace(/^mp_main "\$@"\nexit\n$/m, 'declare -f\n')
        .replace(/MP_SCRIPT_LINE=\d+/, 'MP_SCRIPT_LINE=0');
      return spawnSync('bash', [], { input: definitions, encoding: 'utf8' }).stdout;
    };
    expect(functionsOf(asRoot)).to.contain('mp_main ()').and.to.equal(functionsOf(source));
  });

  it('is clean for shellcheck, in parts and as a whole', () => {
    const files = readdirSync(parts).map((name) => join(parts, name));
    const inParts = spawnSync('shellcheck', [...files, join(taskgen, 'build-local.sh')], { encoding: 'utf8' });
    expect(inParts.stdout).to.equal('');
    // Functions that only run on the host or in the container look unreachable here, settings come from outside, and MP_DROP holds patterns.
    const whole = spawnSync('shellcheck', ['-s', 'bash', '-e', 'SC1091,SC2317,SC2153,SC2046,SC2053', '-'], {
      input: asRoot,
      encoding: 'utf8',
    });
    expect(whole.stdout).to.equal('');
  });

  it('never runs what a parameter value puts behind its delimiter', async () => {
    const world = await openWorld();
    try {
      const value = 'harmless\nX\necho owned >/mp-shared/OWNED; cat /ssh/id_rsa >/tekton/results/KEY';
      const tail = `: <<'X'\n#!/bin/sh\necho ran\n: ${value}\necho last\nX\n`;
      const build = await runBuild(world, { script: '', tail });
      expect(build.code, build.stderr).to.equal(0);
      expect(build.stdout).to.equal('ran\nlast\n');
      expect([
        build.has('mp-shared/OWNED'),
        build.has('tekton/results/KEY') && build.read('tekton/results/KEY'),
      ]).to.deep.equal([false, '']);
    } finally {
      await world.close();
    }
  });
});
