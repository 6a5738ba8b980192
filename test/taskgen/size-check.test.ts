// The limit on scripts: a warning in time, an error before a TaskRun would find out, whatever step the text is in.

import { expect } from 'chai';
import { formatFinding } from '../../taskgen/findings.ts';
import { defaultOptions } from '../../taskgen/options.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';

const scripts = {
  remote: '#!/usr/bin/env bash\nexit\n',
  local: '#!/bin/sh\n',
  deferPush: '',
  remoteAsRoot: '',
  sameStep: '',
};

function findingsFor(sizes: Readonly<Record<string, number>>): string[] {
  const steps = Object.entries(sizes).map(([name, size]) => ({
    name,
    image: 'alpine',
    script: `#${'x'.repeat(size)}\n`,
  }));
  const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'large' }, spec: { steps } };
  const { findings } = generateRemoteTask(JSON.stringify(task), 'task.json', scripts, defaultOptions);
  return findings
    .filter(({ severity }) => severity !== 'note')
    .map(({ code, message }) => `${code} ${message.split(' of ')[0]}`);
}

describe('the scripts of a generated Task', () => {
  const cases = [
    { sizes: { build: 50_000 }, found: [] },
    { sizes: { build: 60_000 }, found: ['MPT015 All scripts together take 61 %'] },
    { sizes: { build: 30_000, other: 30_000 }, found: ['MPT015 All scripts together take 61 %'] },
    { sizes: { build: 94_000 }, found: ['MPT014 All scripts together take 95 %'] },
    { sizes: { build: 1000, push: 120_000 }, found: ['MPT014 All scripts together take 123 %'] },
  ];
  for (const { sizes, found } of cases) {
    it(`of ${JSON.stringify(sizes)} bytes: ${found.join() || 'nothing to say'}`, () =>
      expect(findingsFor(sizes)).to.deep.equal(found));
  }
});

describe('a Task of more than kubectl apply takes', () => {
  it('is a finding that says how to install it', () => {
    const description = 'x'.repeat(270_000);
    const steps = [{ name: 'build', image: 'alpine', script: 'make\n' }];
    const task = {
      apiVersion: 'tekton.dev/v1',
      kind: 'Task',
      metadata: { name: 'wide' },
      spec: { description, steps },
    };
    const { text, findings } = generateRemoteTask(JSON.stringify(task), 'task.json', scripts, defaultOptions);
    const found = findings.filter(({ severity }) => severity === 'warning').map(formatFinding);
    expect(text).not.to.equal(undefined);
    expect(found).to.deep.equal([
      'task.json:1:79: warning MPT018: The new Task has about 264 KiB; kubectl apply takes 256.\n' +
        '    fix: Install it by kubectl apply --server-side; no more than 1.5 MiB fit into a cluster.\n',
    ]);
  });
});
