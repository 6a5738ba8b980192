// Tekton and the Tasks of a provider, played on a controller in memory.
import { second } from '../../../controller/model/instant.ts';
import { endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { ControllerStand } from './controller-stand.ts';

/** Tekton, and Tasks that do what they are for; `cancels` says which TaskRuns of ours somebody cancels. */
export async function play(
  stand: ControllerStand,
  seconds: number,
  cancels = (_name: string): boolean => false,
): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 1) {
    for (const raw of stand.cluster.all('taskruns')) {
      const own = readOwn(raw);
      if (own?.outcome !== 'running') continue;
      const cancelled = own.cancelled || cancels(own.name);
      if (own.type === 'provision' && !cancelled)
        stand.cluster.put('secrets', own.userNamespace, { metadata: { name: `multi-platform-ssh-${own.userName}` } });
      endOwn(stand, own.name, cancelled ? 'failed' : 'succeeded', cancelled);
    }
    await stand.clock.advance(second);
  }
}

export function endOwn(stand: ControllerStand, name: string, outcome: 'failed' | 'succeeded', cancelled = false): void {
  stand.cluster.change('taskruns', operatorNamespace, name, (taskRun) => {
    if (cancelled) taskRun['spec'] = { ...Object(taskRun['spec']), status: 'TaskRunCancelled' };
    taskRun['status'] = { ...Object(taskRun['status']), ...endedStatus(outcome, stand.clock.now()) };
  });
}

export function provisionName(stand: ControllerStand): string {
  const own = stand.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
  return own.find(({ type, outcome }) => type === 'provision' && outcome === 'running')?.name ?? '';
}

/** A controller that acts, and builds that have their hosts. */
export async function standWith(hosts: Record<string, number>, ...names: string[]): Promise<ControllerStand> {
  const stand = new ControllerStand(hostConfigData(hosts));
  stand.controller.start();
  for (const name of names) stand.create(name);
  await stand.clock.advance(second);
  return stand;
}
