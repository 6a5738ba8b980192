// The command line: what is understood, and how it answers what is not.

import { expect } from 'chai';
import { parseCommandLine } from '../../taskgen/command-line.ts';
import type { Answer, Invocation } from '../../taskgen/command-line.ts';
import { defaultOptions } from '../../taskgen/options.ts';

function understood(line: string): Invocation {
  const result = parseCommandLine(line.split(' '));
  if ('exitCode' in result) throw new Error(result.stderr);
  return result;
}

function answer(line: string): Answer {
  const result = parseCommandLine(line.split(' ').filter((word) => word !== ''));
  if (!('exitCode' in result)) throw new Error('understood');
  return result;
}

describe('the command line', () => {
  it('without flags means the documented defaults', () => {
    expect(understood('task.yaml').options).to.deep.equal(defaultOptions);
  });

  it('collects repeated flags', () => {
    const { options } = understood(
      '--sync a=in --sync b=none --volume v=skip --env-allow A* --env-deny B --podman-arg=--device=/dev/kvm t',
    );
    expect([...options.sync]).to.deep.equal([
      ['a', 'in'],
      ['b', 'none'],
    ]);
    expect([...options.volumes]).to.deep.equal([['v', 'skip']]);
    expect(options.envAllow).to.deep.equal(['A*']);
    expect(options.envDeny).to.deep.equal(['B']);
    expect(options.podmanArguments).to.deep.equal(['--device=/dev/kvm']);
  });

  it('is not changed by what another call was given', () => {
    understood('--sync a=in --env-allow A t');
    expect(understood('t').options).to.deep.equal(defaultOptions);
  });

  it('takes the flags of the old generator, and says when one has no effect', () => {
    const { sources, output, remarks } = understood('--buildah-task in.yaml --remote-task out.yaml --task-version 0.2');
    expect({ sources, output }).to.deep.equal({ sources: ['in.yaml'], output: 'out.yaml' });
    expect(remarks.join()).to.include('--task-version has no effect');
  });

  it('reads --secret-optional with and without a value', () => {
    expect(understood('--secret-optional=false t').options.secretOptional).to.equal(false);
    expect(understood('--secret-optional=true t').options.secretOptional).to.equal(true);
  });

  it('takes explain for a question, not for a file', () => {
    expect(understood('explain task.yaml'))
      .to.include({ explain: true })
      .and.to.deep.include({ sources: ['task.yaml'] });
    expect(understood('task.yaml').explain).to.equal(false);
    expect(understood('./explain').sources).to.deep.equal(['./explain']);
  });

  it('reads times as Tekton writes them', () => {
    expect(understood('--timeout-margin 1h1m5s t').options.timeoutMargin).to.equal(3665);
  });

  it('takes what may stand in a Task for an image, a volume and a platform', () => {
    const { options } = understood(
      '--runner-image $(params.RUNNER) --ssh-volume-name keys-1 --platform-default localhost --image-param tags[0] t',
    );
    expect(options).to.include({
      runnerImage: '$(params.RUNNER)',
      sshVolumeName: 'keys-1',
      platformDefault: 'localhost',
      imageParameter: 'tags[0]',
    });
    expect(understood('--platform-default linux-mlarge/arm64 t').options.platformDefault).to.equal(
      'linux-mlarge/arm64',
    );
  });

  it('takes --allow-sidecars for --accept MPT013', () => {
    expect([...understood('--allow-sidecars --accept MPT203 t').options.accepted]).to.have.members([
      'MPT013',
      'MPT203',
    ]);
  });

  it('shows help on request, and that is success', () => {
    const { exitCode, stdout } = answer('--help');
    expect(exitCode).to.equal(0);
    expect(stdout).to.include('taskgen task.yaml | kubectl apply -f -').and.to.include('Exit codes:');
  });

  const refused = [
    { line: '', says: 'no source' },
    { line: 'a b -o c', says: 'one source' },
    { line: 'a --check', says: 'add -o FILE' },
    { line: 'explain a -o b', says: 'leave out -o' },
    { line: 'explain', says: 'no source' },
    { line: 'a --explain', says: "unknown option '--explain'" },
    { line: '- -', says: 'only once' },
    { line: 'a --in-place-map b=c', says: 'names sources and outputs itself' },
    { line: '--in-place-map b=c -o d', says: 'leave out other sources, -o' },
    { line: 'a --no-such-flag', says: "unknown option '--no-such-flag'" },
    { line: 'a --stpe build', says: '--step' },
    { line: 'a --transfer pigeon', says: 'Allowed choices are oci, stream, registry, none' },
    { line: 'a --registry-auth all', says: 'Allowed choices are none, pull, push, both' },
    { line: 'a --platform-param TARGET', says: 'Controllers read the parameter PLATFORM' },
    { line: 'a --local here', says: 'Allowed choices are extra-step, same-step, off' },
    { line: 'a --local same-step', says: 'add --runner-image same' },
    { line: 'a --runner-image same --wrapper-user 0', says: 'the step keeps its rights' },
    { line: 'a --runner-image same --after-load b', says: 'add --local extra-step' },
    { line: 'a --compress gzip', says: 'Allowed choices are auto, always, never' },
    { line: 'a --attached --detached', says: 'cannot be used with' },
    { line: 'a --timeout-margin soon', says: '60s, 2m or 1h30m' },
    { line: 'a --wrapper-user root', says: 'whole number' },
    { line: 'a --sync source', says: 'Write NAME=HOW' },
    { line: 'a --sync source=sideways', says: 'none, in, out, both' },
    { line: 'a --volume v=none', says: 'skip, in, out, both, empty, storage' },
    { line: 'a --secret-optional=maybe', says: 'Write true or false' },
    { line: 'a --secret-wait soon', says: 'whole number' },
    { line: 'a --wrapper-resources 1foo/2bar', says: 'CPU/MEMORY' },
    { line: 'a --wrapper-resources much', says: 'CPU/MEMORY' },
    { line: 'a --ssh-volume-name mp-shared', says: 'neither mp-…' },
    { line: 'a --ssh-volume-name SSH_KEY', says: 'lower case letters' },
    { line: 'a --ssh-volume-name=', says: 'lower case letters' },
    { line: 'a --runner-image=', says: 'name of an image' },
    { line: 'a --image-param=', says: 'name of a parameter' },
    { line: 'a --image-param $(context.taskRun.name)', says: 'name of a parameter' },
    { line: 'a --platform-default amd64', says: 'such as linux/arm64' },
    { line: 'a --platform-default=', says: 'such as linux/arm64' },
    { line: 'a --accept MPT001', says: 'cannot be accepted' },
    { line: 'a --accept nonsense', says: 'no such code' },
  ];
  for (const { line, says } of refused) {
    it(`refuses "${line}" with exit code 2 and a remedy`, () => {
      const { exitCode, stderr } = answer(line);
      expect(stderr).to.include(says);
      expect(exitCode).to.equal(2);
    });
  }
});
