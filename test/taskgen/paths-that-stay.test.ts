// What stays in the pod although it is inside a folder that goes to the host.

import { expect } from 'chai';
import { made } from './small-task.ts';

const stays = (spec: string, flags: readonly string[] = []) =>
  made(`steps:\n  - name: build\n    image: maven\n    script: mvn package\n${spec}`, flags).variables['MP_STAYS'];

const nested = 'workspaces:\n  - name: source\n  - name: npm-token\n    mountPath: /workspace/source/.npm';

describe('a path that stays in the pod', () => {
  it('is that of a workspace that is left out, inside one that is sent', () => {
    expect(stays(nested)).to.equal('$(workspaces.npm-token.path)');
    expect(stays(nested, ['--sync', 'npm-token=in'])).to.equal(undefined);
  });

  it('is that of a volume that is left out, by whatever name its place has', () => {
    const spec = `    volumeMounts: [{name: cache, mountPath: "$(workspaces.source.path)/cache"}, {name: other, mountPath: /other}]
volumes: [{name: cache, hostPath: {path: /cache}}, {name: other, hostPath: {path: /other}}]
workspaces: [{name: source}]`;
    expect(stays(spec, ['--volume', 'cache=skip', '--volume', 'other=skip'])).to.equal(
      '$(workspaces.source.path)/cache',
    );
  });

  it('is one inside a workspace that the step wants elsewhere', () => {
    const spec = `    workspaces: [{name: source, mountPath: /src}]
    volumeMounts: [{name: cache, mountPath: /src/cache}, {name: other, mountPath: /workspace/source/other}]
volumes: [{name: cache, hostPath: {path: /cache}}, {name: other, hostPath: {path: /other}}]
workspaces: [{name: source}]`;
    expect(stays(spec, ['--volume', 'cache=skip', '--volume', 'other=skip'])).to.equal('/src/cache');
  });

  it('is not that of one beside it', () => {
    expect(stays('workspaces: [{name: source}, {name: source-token}]')).to.equal(undefined);
  });

  it('is a file into which Tekton writes what the step says', () => {
    const spec =
      '    stdoutConfig: {path: $(results.digest.path)}\n    stderrConfig: {path: $(workspaces.source.path)/log}\nresults: [{name: digest}]\nworkspaces: [{name: source}]';
    expect(stays(spec)).to.equal('$(results.digest.path)\n$(workspaces.source.path)/log');
  });
});
