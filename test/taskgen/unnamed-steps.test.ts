// Steps without names, which Tekton calls by their index: one comes in between.

import { expect } from 'chai';
import { made } from './small-task.ts';

const task = (last: string) => `steps:
  - {image: alpine, script: prepare}
  - {name: build, image: alpine, script: make}
  - {image: alpine, script: push}
  - {name: report, image: alpine, script: 'cat $(steps.${last}.exitCode.path)'}`;
const found = (last: string, flags: readonly string[] = []) => made(task(last), flags).findings.join('');

describe('a step that is called by its index', () => {
  it('is another one behind the step that is added, and a finding says so', () => {
    expect(found('step-unnamed-2')).to.match(
      /task\.yaml:10:\d+: warning MPT023: "step-unnamed-2" is another step when "build-local" comes before it\./,
    );
  });

  it('is the same in front of it, or where none is added', () => {
    expect(found('step-unnamed-0')).not.to.include('MPT023');
    expect(found('step-unnamed-2', ['--local', 'off', '--transfer', 'none'])).not.to.include('MPT023');
  });
});
