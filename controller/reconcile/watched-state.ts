// All that the controller knows of the cluster: caches filled by watches, and host-config. Decides nothing.
import { Cache } from '../kubernetes/cache.ts';
import type { KubeObject } from '../kubernetes/cluster.ts';
import { hasOurMark } from '../lease/lease-mark.ts';
import { parseFacts, verifyFacts } from '../lease/signed-facts.ts';
import type { Instant } from '../model/instant.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { launchTokens, type LaunchTokens } from '../taskruns/launch-token.ts';
import { readOwnTaskRun } from '../taskruns/read-own-task-run.ts';
import { readUserTaskRun } from '../taskruns/read-user-task-run.ts';
import { HostConfigState } from './host-config-state.ts';
import type { LabelWriter } from './known-hosts.ts';
import { newLaunchReports, type LaunchReports } from './launch-news.ts';
import type { LeaseKey } from './lease-key.ts';
import type { OwnedSecret } from './orphan-sweep.ts';
import { pooledLaunches } from './pooled-hosts.ts';
import { KnownProviderTasks } from './provider-tasks.ts';
import { newSecretReports, type SecretReports } from './secret-reports.ts';
import type { SshSecret } from './ssh-secrets.ts';
import { taskRunIndexes, type TaskRuns } from './take-snapshot.ts';

export interface WatchedStateOptions {
  readonly namespace: string;
  readonly leaseKey: LeaseKey;
  readonly now: Instant;
  readonly onListenerError: (error: unknown) => void;
}

export class WatchedState {
  readonly taskRuns: TaskRuns;
  readonly sshSecrets: Cache<SshSecret>;
  readonly secretReports: SecretReports;
  /** Secrets of ours that go with their build. */
  readonly ownedSecrets: Cache<OwnedSecret>;
  readonly launchReports: LaunchReports;
  readonly providerTasks: KnownProviderTasks;
  readonly hostConfig: HostConfigState;
  /** Names of hosts to be launched. */
  readonly tokens: LaunchTokens;
  readonly #namespace: string;
  readonly #leaseKey: LeaseKey;

  constructor({ namespace, leaseKey, now, onListenerError }: WatchedStateOptions) {
    this.#namespace = namespace;
    this.#leaseKey = leaseKey;
    this.tokens = launchTokens(leaseKey.secret);
    this.taskRuns = new Cache({ index: taskRunIndexes, onListenerError });
    this.sshSecrets = new Cache({ index: {}, onListenerError });
    this.secretReports = newSecretReports(onListenerError);
    this.ownedSecrets = new Cache({ index: {}, onListenerError });
    this.launchReports = newLaunchReports(onListenerError);
    this.providerTasks = new KnownProviderTasks(onListenerError);
    this.hostConfig = new HostConfigState(namespace, now);
  }

  /** What is kept of a TaskRun; undefined: nothing. */
  readonly project = (raw: KubeObject): KeptTaskRun | undefined => {
    const own = raw.metadata.namespace === this.#namespace ? readOwnTaskRun(raw, parseFacts) : undefined;
    return own ?? readUserTaskRun(raw, (uid, signed) => verifyFacts(this.#leaseKey.secret, uid, signed));
  };

  /** Whose word the labels of this build are. */
  readonly writerOf = (taskRun: UserTaskRun): LabelWriter => {
    if (hasOurMark(this.#leaseKey.secret, taskRun)) return 'us';
    return taskRun.created < this.#leaseKey.created ? 'older controller' : 'anybody';
  };

  /** Launch TaskRuns of hosts that serve several builds: each stands for its host. */
  readonly launches = (platform: string): OwnTaskRun[] => pooledLaunches(platform, this.taskRuns);

  /** The operator namespace has a labelled Secret of this name. */
  readonly hasSshSecret = (name: string): boolean => this.sshSecrets.get(this.#namespace, name) !== undefined;

  /** This provision or launch TaskRun says that the Secret is there. */
  readonly hasReported = (uid: string): boolean => this.secretReports.count('taskRun', uid) > 0;
}
