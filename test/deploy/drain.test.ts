import { expect } from 'chai';
import { minute, second } from '../../controller/model/instant.ts';
import { readSettings } from '../../controller/settings.ts';
import { parseListenAddress } from '../../controller/telemetry/listen-address.ts';
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

  it('drains with flags the controller understands, which take less time than the Job has', () => {
    const { spec } = find(manifests, 'Job', 'multi-platform-controller-drain');
    const settings = readSettings(pod.spec.containers[0].args, {});
    expect(settings).to.include({ leaderElect: true });
    expect(settings.drain).to.deep.equal({ patience: 0, timeout: 10 * minute });
    expect(settings.drain?.timeout).to.be.below(spec.activeDeadlineSeconds * second);
    for (const address of [settings.metricsBindAddress, settings.healthProbeBindAddress]) {
      expect(parseListenAddress('', address)).to.equal(undefined);
    }
  });
});
