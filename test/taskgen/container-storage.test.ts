// Container storage, wherever it is: never sent, and the image goes to the steps that share it.

import { expect } from 'chai';
import { made } from './small-task.ts';

const build = `steps:
  - {name: build, image: buildah, securityContext: {runAsUser: 0}, script: 'buildah bud -t $(params.IMAGE) .'}
  - {name: push, image: buildah, script: 'buildah push $(params.IMAGE)'}`;

const storages = {
  'a workspace': 'workspaces: [{name: layers, mountPath: /var/lib/containers/}]',
  'an optional workspace':
    'workspaces: [{name: layers, mountPath: /root/.local/share/containers/storage, optional: true}]',
  'a volume where STORAGE_ROOT says': `volumes: [{name: store, emptyDir: {}}]
stepTemplate: {env: [{name: STORAGE_ROOT, value: /store/}], volumeMounts: [{name: store, mountPath: /store}]}`,
  'a volume around the place that STORAGE_ROOT says': `volumes: [{name: data, emptyDir: {}}]
stepTemplate: {env: [{name: STORAGE_ROOT, value: /data/containers}], volumeMounts: [{name: data, mountPath: /data}]}`,
  'a workspace that STORAGE_ROOT names': `workspaces: [{name: storage}]
stepTemplate: {env: [{name: STORAGE_ROOT, value: $(workspaces.storage.path)}]}`,
  'a workspace around the place that STORAGE_ROOT says': `workspaces: [{name: storage}]
stepTemplate: {env: [{name: STORAGE_ROOT, value: "$(workspaces['storage'].path)/containers"}]}`,
  'a workspace whose name sounds like credentials':
    'workspaces: [{name: docker-layers, mountPath: /var/lib/containers}]',
};

describe('container storage', () => {
  for (const [what, spec] of Object.entries(storages))
    it(`in ${what} is a volume of the host, and the image comes back into it`, () => {
      const { variables, findings } = made(`params: [{name: IMAGE}]\n${spec}\n${build}`);
      expect(variables).to.include({ MP_MOUNTS: '1', MP_MOUNT_0_SYNC: 'storage', MP_RESULT_IMAGE: '$(params.IMAGE)' });
      expect(findings.join('')).not.to.include('MPT032');
    });

  it('is no folder of which the step says something else, too', () => {
    const { variables } = made(`workspaces: [{name: source}]
steps:
  - name: build
    image: buildah
    workingDir: $(workspaces.source.path)/src
    script: buildah bud .
    env: [{name: STORAGE_ROOT, value: $(workspaces.source.path)/layers}]`);
    expect(variables['MP_MOUNT_0_SYNC']).to.equal('both');
  });

  it('is shared with later steps where --volume says it is', () => {
    const spec = `volumes: [{name: data, emptyDir: {}}]\nstepTemplate: {volumeMounts: [{name: data, mountPath: /data}]}`;
    const { variables, findings } = made(`params: [{name: IMAGE}]\n${spec}\n${build}`, ['--volume', 'data=storage']);
    expect(variables).to.include({ MP_MOUNT_0_SYNC: 'storage', MP_RESULT_IMAGE: '$(params.IMAGE)' });
    expect(findings.join('')).not.to.include('MPT032');
  });

  it('that a step claims for itself is seen by those that claim it', () => {
    const claimed = (push: string) =>
      made(`params: [{name: IMAGE}]
workspaces: [{name: layers}]
steps:
  - {name: build, image: a, script: 'buildah bud -t $(params.IMAGE) .', workspaces: [{name: layers, mountPath: /var/lib/containers}]}
  - {name: push, image: a, script: 'buildah push $(params.IMAGE)'${push}}`);
    expect(claimed('').findings.join('')).to.include('MPT032');
    expect(claimed(', workspaces: [{name: layers}]').findings.join('')).not.to.include('MPT032');
    expect(claimed('').variables['MP_MOUNT_0_SYNC']).to.equal('storage');
  });

  it('is sent when --sync says so', () => {
    const { variables } = made(`params: [{name: IMAGE}]\n${storages['a workspace']}\n${build}`, [
      '--sync',
      'layers=in',
    ]);
    expect(variables['MP_MOUNT_0_SYNC']).to.equal('in');
  });
});
