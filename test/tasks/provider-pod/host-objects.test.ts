import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifests } from '../../deploy/manifests.ts';
import { hostObjects, token } from './host-objects.ts';

const prefix = 'build.appstudio.redhat.com';
const hostOf = (changed: Record<string, string>) => hostObjects(changed).pod.spec.containers[0];

describe('objects of a pod host', () => {
  it('P1, P5, P6, P7: are those of golden/host.yaml', () => {
    const golden = parseManifests(readFileSync(join(import.meta.dirname, 'golden/host.yaml'), 'utf8'));
    const { policy, secret, service, pod } = hostObjects();
    expect([policy, secret, service, pod]).to.deep.equal(golden);
  });

  it('P1: all carry whose they are', () => {
    for (const { metadata } of Object.values(hostObjects({ PLATFORM: 'linux-large/arm64' }))) {
      expect(metadata.namespace).to.equal('multi-platform-hosts');
      expect(metadata.name).to.contain(token);
      expect(metadata.labels).to.include({
        [`${prefix}/launch-token`]: token,
        [`${prefix}/target-platform`]: 'linux-large-arm64',
        [`${prefix}/user-task-name`]: 'hello',
        [`${prefix}/user-task-namespace`]: 'team-a',
        [`${prefix}/user-task-uid`]: '00000000-0000-4000-8000-000000000001',
      });
    }
  });

  it('P1: carry the tags of the installation as annotations', () => {
    const { pod } = hostObjects({ INSTANCE_TAG: 'prod', ADDITIONAL_INSTANCE_TAGS: 'cost center=a b,team=x' });
    expect(pod.metadata).to.have.deep.nested.property('annotations', {
      [`${prefix}/instance-tag`]: 'prod',
      [`${prefix}/additional-instance-tags`]: 'cost center=a b,team=x',
      'karpenter.sh/do-not-disrupt': 'true',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
    });
  });

  const placement: readonly (readonly [string, Record<string, string>, string, unknown])[] = [
    [
      'node-selector, beside os and arch',
      { NODE_SELECTOR: 'pool=builds,example.com/fast=' },
      'nodeSelector',
      { pool: 'builds', 'example.com/fast': '', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    ],
    [
      'no node-selector that takes another arch',
      { NODE_SELECTOR: 'kubernetes.io/arch=s390x' },
      'nodeSelector',
      { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    ],
    [
      'tolerations',
      { TOLERATIONS: 'only=builds:NoSchedule,old:NoExecute,any,:PreferNoSchedule,empty=:NoSchedule' },
      'tolerations',
      [
        { key: 'only', operator: 'Equal', value: 'builds', effect: 'NoSchedule' },
        { key: 'old', operator: 'Exists', effect: 'NoExecute' },
        { key: 'any', operator: 'Exists' },
        { operator: 'Exists', effect: 'PreferNoSchedule' },
        { key: 'empty', operator: 'Equal', value: '', effect: 'NoSchedule' },
      ],
    ],
    ['priority-class-name', { PRIORITY_CLASS_NAME: 'builds' }, 'priorityClassName', 'builds'],
    ['runtime-class-name', { RUNTIME_CLASS_NAME: 'kata' }, 'runtimeClassName', 'kata'],
    ['service-account', { SERVICE_ACCOUNT: 'builds' }, 'serviceAccountName', 'builds'],
    ['image-pull-secret', { IMAGE_PULL_SECRET: 'pull' }, 'imagePullSecrets', [{ name: 'pull' }]],
    ['active-deadline-seconds', { ACTIVE_DEADLINE_SECONDS: '60' }, 'activeDeadlineSeconds', 60],
    ['privileged, without a user namespace of its own', { PRIVILEGED: 'true' }, 'hostUsers', undefined],
  ];
  for (const [title, params, field, expected] of placement) {
    it(`P3: placement: ${title}`, () => {
      expect(hostObjects(params).pod.spec[field]).to.deep.equal(expected);
    });
  }

  it('P3: leaves out what host-config leaves out', () => {
    const { spec } = hostObjects().pod;
    const optional = ['priorityClassName', 'runtimeClassName', 'serviceAccountName', 'imagePullSecrets'];
    expect(spec).not.to.have.any.keys(...optional);
  });

  it('P3: image, requests and limits', () => {
    const wanted = { CPU_REQUEST: '2', CPU_LIMIT: '4', MEMORY_REQUEST: '', MEMORY_LIMIT: '8Gi', EPHEMERAL_STORAGE: '' };
    const container = hostOf({ IMAGE: 'registry.example.com/own:1', MIN_DISK: '5Gi', ...wanted });
    expect(container.image).to.equal('registry.example.com/own:1');
    expect(container.resources).to.deep.equal({
      requests: { cpu: '2', 'ephemeral-storage': '5Gi' },
      limits: { cpu: '4', memory: '8Gi' },
    });
  });

  const wishes: readonly (readonly [string, Record<string, string>, object])[] = [
    ['512Mi of 1Gi', { MEMORY_LIMIT: '512Mi' }, { cpu: '500m', memory: '512Mi' }],
    ['0.25 of 500m', { CPU_LIMIT: '0.25' }, { cpu: '0.25', memory: '1Gi' }],
    ['what is less as a number and more as an amount', { MEMORY_LIMIT: '2G' }, { cpu: '500m', memory: '1Gi' }],
    ['nothing, where it is the same', { CPU_LIMIT: '0.5', MEMORY_LIMIT: '1024Mi' }, { cpu: '500m', memory: '1Gi' }],
  ];
  for (const [title, params, requests] of wishes) {
    it(`M6: a limit that a build wishes lowers the request of the platform: ${title}`, () => {
      const { 'ephemeral-storage': _disk, ...asked } = hostOf(params).resources.requests;
      expect(asked).to.deep.equal(requests);
    });
  }

  it('P6: asks for two capabilities only, and for no node path or network', () => {
    const { pod } = hostObjects();
    expect(hostOf({}).securityContext.capabilities).to.deep.equal({ drop: ['ALL'], add: ['SETUID', 'SETGID'] });
    expect(JSON.stringify(pod)).not.to.match(/hostPath|hostNetwork|hostPID|hostIPC/);
  });

  it('P11: privileged only where host-config says so', () => {
    expect(hostOf({}).securityContext).not.to.have.property('privileged');
    expect(hostOf({}).env).to.deep.include({ name: 'MP_USERNS', value: 'true' });
    expect(hostOf({ PRIVILEGED: 'true' }).securityContext).to.deep.equal({ privileged: true, runAsNonRoot: true });
    expect(hostOf({ PRIVILEGED: 'true' }).env).to.deep.include({ name: 'MP_USERNS', value: 'false' });
  });

  it('P12: a node port is open to all, for there pods come under the addresses of nodes', () => {
    const { service, policy } = hostObjects({ EXPOSE: 'nodePort' });
    expect(service.spec.type).to.equal('NodePort');
    expect(policy.spec.ingress).to.deep.equal([{ ports: [{ port: 2222, protocol: 'TCP' }] }]);
  });

  it('P12: so is a pod in another cluster', () => {
    expect(hostObjects({ away: 'true' }).policy.spec.ingress[0]).not.to.have.property('from');
  });

  it('P12: without a Service sshd listens on 22 itself', () => {
    const { pod, policy } = hostObjects({ EXPOSE: 'podIP', pod_port: '22' });
    expect(pod.spec.securityContext.sysctls).to.deep.equal([
      { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' },
    ]);
    expect(policy.spec.ingress[0].ports).to.deep.equal([{ port: 22, protocol: 'TCP' }]);
  });

  it('P13: packages are installed by a pod that starts as root of its user namespace', () => {
    const { securityContext, env } = hostOf({ TOOLS: 'git,rsync' });
    expect(env).to.deep.include({ name: 'MP_TOOLS', value: 'git,rsync' });
    expect(securityContext).to.include({ runAsUser: 0, runAsNonRoot: false });
    expect(securityContext.capabilities.add).to.include.members(['CHOWN', 'DAC_OVERRIDE', 'FOWNER']);
    expect(hostObjects({ TOOLS: 'git' }).pod.spec.hostUsers).to.equal(false);
  });
});
