// When a build has to end for its step's timeout, in every way that Go writes a duration.

import { expect } from 'chai';
import { secondsOf } from '../../taskgen/durations.ts';
import { made } from './small-task.ts';

describe('a duration', () => {
  for (const [text, seconds] of [
    ['90s', 90],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['.5m', 30],
    ['1.s', 1],
    ['500ms', 0.5],
    ['2s500ms', 2.5],
    ['30m1h', 5400],
    ['3000000us', 3],
    ['3000000µs', 3],
    ['2000000000ns', 2],
    ['0', 0],
    ['0s', 0],
    ['-0', 0],
    ['+5s', 5],
    ['-5s', -5],
    ['', undefined],
    ['5', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['1d', undefined],
    ['1h 5m', undefined],
    ['1e3s', undefined],
  ] as const)
    // prettier-ignore
    it(`"${text}" is ${seconds ?? 'none'}`, () => {
      const read = secondsOf(text);
      if (seconds === undefined) expect(read).to.equal(undefined);
      else expect(read).to.be.closeTo(seconds, 1e-9);
    });
});

describe('the timeout of the step', () => {
  const build = (timeout: string, flags: readonly string[] = []) =>
    made(`steps:\n  - {name: build, image: alpine, script: make, timeout: ${timeout}}`, flags);

  for (const [timeout, limit] of [
    ['10m', '540'],
    ['1.5h', '5340'],
    ['10s', '5'],
    ['500ms', '1'],
    ['0s', undefined],
    ['0', undefined],
  ] as const)
    // prettier-ignore
    it(`${timeout} ${limit === undefined ? 'is no limit' : `ends the build after ${limit} s`}`, () => {
      const { findings, variables } = build(timeout === '0' ? '"0"' : timeout);
      expect(variables['MP_TIMEOUT']).to.equal(limit);
      expect(findings.join('')).not.to.include('MPT026');
    });

  for (const timeout of ['"$(params.t)"', 'soon', '-5s', '60', '0'])
    it(`${timeout} is a finding`, () => {
      const { findings, variables } = build(timeout);
      expect(findings.join('')).to.match(/^task\.yaml:7:\d+: error MPT026: .*no duration/m);
      expect(variables['MP_TIMEOUT']).to.equal(undefined);
    });

  it('of no limit has no margin', () => {
    expect(build('0s', ['--timeout-margin', '5s']).findings.join('')).to.include('MPT036');
    expect(build('1m', ['--timeout-margin', '1500ms']).variables['MP_TIMEOUT']).to.equal('58');
  });
});
