// What a host must show before a build gets it, each failure with its own reason: a real sshd, and a machine with one thing wrong.
import { expect } from 'chai';
import { type Launch, PodStand } from './pod-stand.ts';

describe('readiness of a pod host', function () {
  this.timeout(120_000);
  let stand: PodStand;
  before(async () => {
    stand = await PodStand.start();
  });
  after(() => stand?.stop());

  const patience = { env: { START_TIMEOUT: '3' } };

  async function failed(launch: Launch, prepare: string, repair = 'true') {
    const [{ code, results, log }] = await Promise.all([stand.launch(launch, patience), stand.runPod(launch, prepare)]);
    stand.endPod(launch);
    stand.host.read(repair);
    expect(code, log).to.equal(1);
    expect(results['MESSAGE'], log).to.contain(`pod ${launch.token}`);
    expect(await stand.buildSecret(launch)).to.equal(undefined);
    return { reason: results['REASON'], message: results['MESSAGE'] ?? '', log };
  }

  const machines: readonly (readonly [string, string, Record<string, string>, string, RegExp, string])[] = [
    [
      'PortClosed: nothing listens',
      'PortClosed',
      {},
      'printf "#!/bin/sh\\nexec sleep 100\\n" >/pods/$TOKEN/start',
      /nothing listens on \[127\.0\.0\.1\]:\d+ after 3 s/,
      'true',
    ],
    [
      'AuthenticationFailed: it does not take the key',
      'AuthenticationFailed',
      {},
      ': >/pods/$TOKEN/authorized_keys',
      /Permission denied/,
      'true',
    ],
    ['NoPodman: no podman', 'NoPodman', {}, 'mount --bind /dev/null /usr/bin/podman', /no podman/, 'umount'],
    [
      'PodmanBroken: podman that does not work',
      'PodmanBroken',
      {},
      'mount --bind /bin/false /usr/bin/podman',
      /podman info/,
      'umount',
    ],
    [
      'WrongArchitecture: another machine than the platform',
      'WrongArchitecture',
      { PLATFORM: 'linux/arm64' },
      'true',
      /its machine is x86_64, platform linux\/arm64 is aarch64/,
      'true',
    ],
    [
      'NoSpace: too little room',
      'NoSpace',
      { MIN_DISK: '900T', EPHEMERAL_STORAGE: '' },
      'true',
      /MiB free, min-disk is 900T/,
      'true',
    ],
  ];
  for (const [title, reason, params, prepare, message, repair] of machines) {
    it(`P8: ${title}`, async () => {
      const launch = stand.aLaunch(params);
      const undo = repair === 'umount' ? 'umount /usr/bin/podman' : 'true';
      const outcome = await failed(launch, prepare.replaceAll('$TOKEN', launch.token), undo);
      expect(outcome.reason, outcome.log).to.equal(reason);
      expect(outcome.message).to.match(message);
    });
  }

  const kubelet: readonly (readonly [string, object, string, RegExp])[] = [
    [
      'an image that has no name',
      { waiting: { reason: 'InvalidImageName', message: 'couldn\'t parse image name "x:y:z"' } },
      'LaunchRefused',
      /parse image name/,
    ],
    [
      'an image that runs as root',
      {
        waiting: {
          reason: 'CreateContainerConfigError',
          message: 'container has runAsNonRoot and image will run as root',
        },
      },
      'LaunchRefused',
      /image will run as root/,
    ],
    [
      'an image that cannot be pulled',
      { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "nowhere/x:1"' } },
      'LaunchRefused',
      /cannot be pulled: Back-off/,
    ],
    [
      'an image that is not in its registry',
      {
        waiting: {
          reason: 'ErrImagePull',
          message: 'failed to resolve reference "nowhere/x:1": nowhere/x:1: not found',
        },
      },
      'LaunchRefused',
      /cannot be pulled: .*: not found/,
    ],
    [
      'a registry that has trouble until the time is up',
      { waiting: { reason: 'ErrImagePull', message: 'unexpected status from HEAD request: 503 Service Unavailable' } },
      'Timeout',
      /503 Service Unavailable/,
    ],
    [
      'a container that cannot be made',
      { waiting: { reason: 'CreateContainerError', message: 'no such device' } },
      'HostNotStarted',
      /no such device/,
    ],
  ];
  for (const [title, state, reason, message] of kubelet) {
    it(`P8: ${title} ends the launch with the kubelet's words`, async () => {
      const launch = stand.aLaunch({ ALLOCATION_TIMEOUT: '5' });
      const container = { name: 'host', ready: false, restartCount: 0, image: '', imageID: '', state };
      const [{ results, log }] = await Promise.all([
        stand.launch(launch, { env: { PULL_PATIENCE: '1' } }),
        stand.setStatus(launch, { phase: 'Pending', containerStatuses: [container] }),
      ]);
      expect(results['REASON'], log).to.equal(reason);
      expect(results['MESSAGE']).to.match(message);
    });
  }

  const ends: readonly (readonly [string, object, string, RegExp])[] = [
    [
      'P11: a node that ignores hostUsers',
      { exitCode: 70, reason: 'Error', message: 'UserNamespacesUnsupported: the container runtime of this node …' },
      'UserNamespacesUnsupported',
      /the container runtime of this node/,
    ],
    ['P8: a pod that ends', { exitCode: 137, reason: 'OOMKilled' }, 'HostEnded', /before it was ready: OOMKilled/],
  ];
  for (const [title, terminated, reason, message] of ends) {
    it(`${title}: the reason is the pod's own`, async () => {
      const launch = stand.aLaunch();
      const container = { name: 'host', ready: false, restartCount: 0, image: '', imageID: '', state: { terminated } };
      const [{ results, log }] = await Promise.all([
        stand.launch(launch),
        stand.setStatus(launch, { phase: 'Failed', containerStatuses: [container] }),
      ]);
      expect(results['REASON'], log).to.equal(reason);
      expect(results['MESSAGE']).to.match(message);
    });
  }
});
