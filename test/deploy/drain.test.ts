import { expect } from 'chai';
import { buildManifests, find, type Manifest, operatorNamespace } from './manifests.ts';

describe('deploy/drain', () => {
  let manifests: Manifest[];
  let pod: Manifest['spec'];

  before(async () => {
    manifests = await buildManifests('deploy/drain');
    pod = find(manifests, 'Job', 'multi-platform-controller-drain').spec.template;
  });

  it('is one Job in the namespace of the controller, which runs once', () => {
    expect(manifests).to.have.length(1);
    const { metadata, spec } = find(manifests, 'Job', 'multi-platform-controller-drain');
    expect(metadata.namespace).to.equal(operatorNamespace);
    expect([spec.backoffLimit, spec.template.spec.restartPolicy]).to.deep.equal([0, 'Never']);
  });

  it('may do what the controller may, confined as the controller is', async () => {
    const deployed = find(await buildManifests('deploy/operator'), 'Deployment', 'multi-platform-controller').spec;
    const { spec } = deployed.template;
    expect(pod.spec.serviceAccountName).to.equal(spec.serviceAccountName);
    expect(pod.spec.securityContext).to.deep.equal(spec.securityContext);
    const [mine, its] = [pod.spec.containers[0], spec.containers[0]];
    for (const field of ['name', 'imagePullPolicy', 'resources', 'securityContext']) {
      expect(mine[field], field).to.deep.equal(its[field]);
    }
    expect(its.env).to.deep.include.members(mine.env);
  });

  it('is no pod that scrapes are sent to, or disruptions counted for', () => {
    expect(pod.metadata.labels).not.to.have.property('app');
  });

  it('drains, and gives its flags together no more time than the Job has', () => {
    const { args } = pod.spec.containers[0];
    expect(args).to.include('--drain');
    expect(find(manifests, 'Job', 'multi-platform-controller-drain').spec.activeDeadlineSeconds).to.be.at.least(3600);
  });
});
