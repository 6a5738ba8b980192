// What is said of the image that the step runs in, by what a registry knows of it.

import { expect } from 'chai';
import { builderImage } from '../../taskgen/builder-image.ts';
import type { ImageFacts } from '../../taskgen/builder-image.ts';
import { formatFinding } from '../../taskgen/findings.ts';
import { defaultOptions } from '../../taskgen/options.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';
import { readTask } from '../../taskgen/task-model.ts';

const scripts = { remote: 'exit\n', local: '#!/bin/sh\n', remoteAsRoot: '', deferPush: '', sameStep: '' };
const source = `apiVersion: tekton.dev/v1
kind: Task
metadata: {name: build}
spec:
  params:
    - {name: BUILDER, default: "quay.io/example/buildah@sha256:1234"}
    - {name: TAG}
  steps:
    - name: build
      image: $(params.BUILDER)
      script: make
`;

function findings(imageFacts: ImageFacts | undefined): string[] {
  const options = { ...defaultOptions, transfer: 'none', imageFacts } as const;
  return generateRemoteTask(source, 'task.yaml', scripts, options).findings.map(formatFinding);
}

describe('the image of the step', () => {
  it('is named with the defaults of parameters', () => {
    const image = (reference: string) => {
      const steps = [{ name: 'build', image: reference }];
      const params = [{ name: 'BUILDER', default: 'a' }, { name: 'my.tag', default: 'b' }, { name: 'TAG' }];
      const task = readTask({ spec: { params, steps } });
      const [step] = task.steps;
      return step === undefined ? '' : builderImage(task, { step });
    };
    expect(image('$(params.BUILDER):$(params["my.tag"])')).to.equal('a:b');
    expect(image('$(params.BUILDER):$(params.TAG)')).to.equal('a:$(params.TAG)');
    expect(image('alpine')).to.equal('alpine');
  });

  it('for one platform is a finding where it stands', () => {
    expect(findings({ platforms: ['linux/amd64'] })).to.deep.equal([
      'task.yaml:10:14: warning MPT030: Image "quay.io/example/buildah@sha256:1234" is for linux/amd64 only; a build for any other PLATFORM stops with "exec format error" or before.\n' +
        '    fix: Take the digest of the index (docker buildx imagetools inspect IMAGE shows it), not that of one of its images.\n',
    ]);
  });

  it('that could not be looked up is a finding with the reason', () => {
    expect(findings({ problem: 'quay.io answered 401 Unauthorized' }).join()).to.match(
      /^task\.yaml:10:14: warning MPT035: .* could not be looked up: quay\.io answered 401 Unauthorized\.\n {4}fix: /,
    );
  });

  it('for several platforms, or not looked up, is none', () => {
    expect(findings({ platforms: ['linux/amd64', 'linux/arm64'] })).to.deep.equal([]);
    expect(findings(undefined)).to.deep.equal([]);
  });
});
