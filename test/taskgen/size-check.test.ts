// The limit on scripts: a warning in time, an error before a TaskRun would find out, whatever step the text is in.

import { expect } from 'chai';
import { defaultOptions } from '../../taskgen/options.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';

const scripts = {
  remote: '#!/usr/bin/env bash\nexit\n',
  local: '#!/bin/sh\n',
  deferPush: '',
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
