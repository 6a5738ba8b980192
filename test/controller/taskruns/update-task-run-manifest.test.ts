import { expect } from 'chai';
import { updateTaskRun } from '../../../controller/taskruns/update-task-run-manifest.ts';
import { operatorNamespace, readOwn } from '../../support/builders.ts';
import { aHost } from '../../support/host-builders.ts';

const nameFor = (host: string, after = 0): string =>
  updateTaskRun(aHost(host).build(), after, operatorNamespace).metadata.name;

describe('update TaskRun', () => {
  it('is what the contract says', () => {
    const manifest = updateTaskRun(aHost('arm-1').withSlots(4).build(), 0, operatorNamespace);
    const resources = { cpu: '100m', memory: '256Mi' };
    expect(manifest.metadata.labels).to.deep.equal({
      'build.appstudio.redhat.com/task-type': 'update',
      'build.appstudio.redhat.com/assigned-host': 'arm-1',
    });
    expect(manifest.metadata.namespace).to.equal(operatorNamespace);
    expect(manifest.metadata).not.to.have.property('finalizers');
    expect(manifest.spec).to.deep.equal({
      serviceAccountName: 'multi-platform-update',
      taskRef: { name: 'update-host' },
      params: [
        { name: 'HOST', value: '10.0.0.1' },
        { name: 'USER', value: 'builder' },
        { name: 'PLATFORM', value: 'linux/arm64' },
        { name: 'CONCURRENCY', value: '4' },
      ],
      workspaces: [{ name: 'ssh', secret: { secretName: 'ssh-key' } }],
      computeResources: { requests: resources, limits: resources },
    });
  });

  it('is read back as care of that host', () => {
    const { metadata, spec } = updateTaskRun(aHost('arm-1').build(), 0, operatorNamespace);
    expect(readOwn({ metadata: { ...metadata, uid: 'u', resourceVersion: '1' }, spec })).to.include({
      kind: 'own',
      type: 'update',
      host: 'arm-1',
      userUid: '',
      outcome: 'running',
    });
  });

  it('has the same name whenever it is asked for, and another for another host or after another update', () => {
    expect(nameFor('arm-1', 5)).to.equal(nameFor('arm-1', 5));
    const names = [nameFor('arm-1', 5), nameFor('arm-1', 6), nameFor('arm-2', 5), nameFor('arm.1', 5)];
    expect(new Set(names).size).to.equal(4);
    expect(names[0]).to.match(/^update-task-arm-1-[0-9a-f]{10}$/);
  });

  for (const host of ['x'.repeat(63), 'Rack_7.Host.A', `${'x'.repeat(43)}.${'y'.repeat(10)}`, 'a.-_b']) {
    it(`has a name that an object may have, for host ${host}`, () => {
      expect(nameFor(host)).to.match(/^update-[a-z0-9]([-a-z0-9]*[a-z0-9])?-[0-9a-f]{10}$/);
      expect(nameFor(host)).to.have.length.at.most(63);
    });
  }
});
