// What launch TaskRuns tell while they wait for room, as a pod that no node takes: passed on to the build, whose people wait
// with them. Decides nothing; what is lost of it is lost.
import { Cache } from '../kubernetes/cache.ts';
import type { KubeObject } from '../kubernetes/cluster.ts';
import { annotatePod, event } from '../lease/build-actions.ts';
import { asObject, asText } from '../model/json.ts';
import { annotations } from '../model/labels.ts';
import type { Perform } from './perform.ts';
import type { TaskRuns } from './take-snapshot.ts';

/** `reason` of the Event; tasks/provider-pod writes it. */
export const unschedulableReason = 'Unschedulable';
/** Of a scheduler's sentence; annotations are no place for more. */
const longest = 1000;

export interface LaunchReport {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** uid of the launch TaskRun that reports. */
  readonly taskRunUid: string;
  readonly message: string;
}

export type LaunchReports = Cache<LaunchReport>;

export function newLaunchReports(onListenerError: (error: unknown) => void): LaunchReports {
  return new Cache({ index: {}, onListenerError });
}

export function readLaunchReport({ metadata, ...rest }: KubeObject): LaunchReport {
  const { uid, name, namespace = '', resourceVersion } = metadata;
  const taskRunUid = asText(asObject(rest['involvedObject'])['uid']) ?? '';
  return {
    uid,
    name,
    namespace,
    resourceVersion,
    taskRunUid,
    message: (asText(rest['message']) ?? '').slice(0, longest),
  };
}

export interface LaunchNewsOptions {
  readonly taskRuns: Pick<TaskRuns, 'byUid'>;
  readonly perform: Perform;
  readonly onError: (message: string, error: unknown) => void;
}

export class LaunchNews {
  readonly #options: LaunchNewsOptions;
  #acting = false;

  constructor(options: LaunchNewsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#acting = true;
  }

  stop(): void {
    this.#acting = false;
  }

  /** To be called with every report that is new. */
  async note({ taskRunUid, message }: LaunchReport): Promise<void> {
    const { taskRuns, perform, onError } = this.#options;
    const launch = taskRuns.byUid(taskRunUid);
    if (!this.#acting || launch?.kind !== 'own' || launch.type !== 'launch' || launch.outcome !== 'running') return;
    const build = taskRuns.byUid(launch.userUid);
    if (build?.kind !== 'user' || build.outcome !== 'running' || message === '') return;
    const told = `waiting for its host to be launched: ${message}`;
    try {
      await perform([
        event(build, 'Normal', 'WaitingForHost', told),
        ...annotatePod(build, { [annotations.waitReason]: told }),
      ]);
    } catch (error) {
      onError('a build could not be told why its launch waits', error);
    }
  }
}
