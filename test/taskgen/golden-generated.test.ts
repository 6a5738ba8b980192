// The files of tasks/generated are what the generator makes today, and every script in them is clean.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');

/** Each generated file and the command line that makes it. */
const generated = [
  {
    file: 'tasks/generated/buildah-multi-platform.yaml',
    words: ['pipeline', '--platforms', 'linux/amd64,linux/arm64', 'tasks/generated/buildah-remote.yaml'],
  },
  {
    file: 'tasks/generated/buildah-remote.yaml',
    words: [
      'taskgen/sources/buildah.yaml',
      '--sync',
      'dockerconfig=none',
      '--podman-args-file',
      '/prepared/podman-arguments',
    ],
  },
];

describe('tasks/generated', function () {
  this.timeout(60_000);
  for (const { file, words } of generated) {
    it(`${file} is current`, () => {
      const command = ['taskgen/main.ts', ...words, '--check', '-o', file];
      const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
      const howTo = `To make it current: npm run taskgen -- ${words.join(' ')} -o ${file}`;
      expect(status, `${stdout}${stderr}${howTo}`).to.equal(0);
    });
  }

  it('holds no other file', () => {
    const files = readdirSync(join(root, 'tasks/generated')).map((name) => `tasks/generated/${name}`);
    expect(files).to.deep.equal(generated.map(({ file }) => file));
  });
});

interface Step {
  readonly name: string;
  readonly script: string;
}

/**
 * The parts of the remote script are checked with their own directives; in a generated Task these comments are left out.
 * What they allow there: functions that run on the host, a file that exists only there, words that are to be split, a name matched by a pattern.
 */
const excluded = ['--exclude=SC1091,SC2046,SC2053,SC2153,SC2317'];

function scriptsOf(file: string): Step[] {
  const { spec }: { spec: { steps: Step[] } } = parse(readFileSync(join(root, file), 'utf8'));
  return spec.steps;
}

describe('the remote step of tasks/generated/buildah-remote.yaml', () => {
  it('looks for the user script where it stands, and nothing but exit stands before it', () => {
    const script = (file: string) => scriptsOf(file).find(({ name }) => name === 'build')?.script ?? '';
    const lines = script('tasks/generated/buildah-remote.yaml').split('\n');
    const start = Number(/^readonly MP_SCRIPT_LINE=(\d+)$/m.exec(lines.join('\n'))?.[1]);
    expect(`${lines.slice(start - 1, -2).join('\n')}\n`).to.equal(script('taskgen/sources/buildah.yaml'));
    expect(lines[start - 2]).to.match(/^: <<'MP_SCRIPT_[0-9a-f]{16}'$/);
    expect(lines[start - 3]).to.equal('exit');
  });
});

/** Every shape that a local step can have, or one step that is both; the text of the remote one is the same in all, but for the user's part, which is data. */
const shapes = [
  'smallest',
  'wrapped-command',
  'defer-push',
  'after-load',
  'append-platform',
  'tool-that-writes-a-file',
  'runner-same',
];

describe('scripts of our Tasks pass shellcheck:', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskgen-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function check({ name, script }: Step): void {
    const path = join(folder, `${name}.sh`);
    writeFileSync(path, script);
    const { stdout, error } = spawnSync('shellcheck', [...excluded, path], { encoding: 'utf8' });
    expect(error).to.equal(undefined);
    expect(stdout).to.equal('');
  }

  const tasks = [
    'taskgen/sources/buildah.yaml',
    'tasks/generated/buildah-remote.yaml',
    'tasks/build-image-index/task.yaml',
  ];
  for (const file of tasks) {
    for (const step of scriptsOf(file)) it(`${file}, step ${step.name}`, () => check(step));
  }

  for (const shape of shapes) {
    it(`the step in the pod of the golden ${shape}`, () => {
      const golden = join(root, 'test/taskgen/golden', shape);
      const flags = existsSync(join(golden, 'flags.txt')) ? readFileSync(join(golden, 'flags.txt'), 'utf8') : '';
      const words = [...flags.split(/\s/).filter((word) => word !== ''), 'source.yaml'];
      const command = [join(root, 'taskgen/main.ts'), ...words];
      const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: golden, encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      const { spec }: { spec: { steps: Step[] } } = parse(stdout);
      const local = spec.steps.find(({ name }) => name === (shape === 'runner-same' ? 'build' : 'build-local'));
      if (local === undefined) throw new Error('there is no local step');
      // Shellcheck knows no busybox in a place of its own.
      check({ ...local, script: local.script.replace('#!/busybox/sh', '#!/bin/sh') });
    });
  }
});
