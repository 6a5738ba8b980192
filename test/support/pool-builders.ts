// Pools of launched hosts, for tests.
import { minute } from '../../controller/model/instant.ts';
import { noLimits, type LaunchedPool } from '../../controller/model/pool.ts';
import { aProviderTask } from './provider-builders.ts';
import { platform } from './host-builders.ts';

const launch = aProviderTask('launch-toy')
  .withParam('LAUNCH_TOKEN')
  .withDefault('COLOUR', 'red')
  .withDefault('ALLOCATION_TIMEOUT')
  .withWorkspace('credentials')
  .withWorkspace('ssh');
const terminate = aProviderTask('terminate-toy')
  .withParam('LAUNCH_TOKEN')
  .withDefault('INSTANCE_ID')
  .withDefault('REGION')
  .withWorkspace('credentials');

/** Launched by Tasks of type `toy`, one host for each build. */
export function aPool(changes: Partial<LaunchedPool> = {}): LaunchedPool {
  return {
    kind: 'dynamic',
    platform: platform('linux/arm64'),
    limits: noLimits,
    provider: { type: 'toy', launch: launch.build(), terminate: terminate.build(), list: undefined },
    maxInstances: 3,
    concurrency: 1,
    maxAge: undefined,
    allocationTimeout: 10 * minute,
    sshSecret: 'ssh-key',
    credentials: 'toy-account',
    sudoCommands: '/usr/bin/podman',
    instanceTag: 'blue-arm64',
    additionalTags: 'team=a',
    settings: { colour: 'green', region: 'north', size: 'large' },
    ...changes,
  };
}

/** Its hosts prepare themselves for the build. */
export function aSelfPreparingPool(changes: Partial<LaunchedPool> = {}): LaunchedPool {
  const pool = aPool(changes);
  return {
    ...pool,
    sshSecret: '',
    provider: { ...pool.provider, launch: { ...launch.build(), preparesItself: true } },
  };
}
