// One look at one build: its TaskRun and ours that work for it, what must happen next, and doing that.
import { nextActions } from '../lease/next-actions.ts';
import { undosOf, type Observed } from '../lease/observed.ts';
import { isUnsigned, readPhase } from '../lease/read-lease.ts';
import { putBack } from '../lease/write-lease.ts';
import type { KeepTimes } from '../lease/timeouts.ts';
import type { Clock } from '../model/clock.ts';
import type { Action } from '../model/action.ts';
import { earliest, type Instant } from '../model/instant.ts';
import { annotations, secretNameFor } from '../model/labels.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { olderBuildUid, readOlderBuildUid } from '../taskruns/older-task-run.ts';
import type { Installation } from '../taskruns/own-task-run-manifest.ts';
import { ClaimMemory } from './claim-memory.ts';
import type { KnownHosts } from './known-hosts.ts';
import type { Perform } from './perform.ts';
import { ProgressMemory } from './progress-memory.ts';
import type { TaskRuns } from './take-snapshot.ts';
import { UnsignedBuilds } from './unsigned-builds.ts';

export interface BuildReconcilerOptions {
  readonly taskRuns: Pick<TaskRuns, 'byUid' | 'get' | 'by'>;
  /** This provision or launch TaskRun says that the Secret is there. */
  readonly hasReported: (uid: string) => boolean;
  readonly knownHosts: KnownHosts;
  readonly perform: Perform;
  readonly clock: Clock;
  readonly installation: () => Installation;
  readonly keep: KeepTimes;
}

export class BuildReconciler {
  readonly #options: BuildReconcilerOptions;
  readonly #claims = new ClaimMemory();
  readonly #unsigned: UnsignedBuilds;
  /** The pod of each build that was told about its Secret. */
  readonly #podTold = new Map<string, string>();
  readonly #progress: ProgressMemory;

  constructor(options: BuildReconcilerOptions) {
    this.#options = options;
    this.#unsigned = new UnsignedBuilds(options.knownHosts.mayHold);
    this.#progress = new ProgressMemory(
      (uid) => options.taskRuns.byUid(uid) !== undefined,
      () => options.clock.now(),
    );
  }

  /** To be called with every change of the cache. Returns whether this build's facts had been lost until now. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): boolean {
    // Before the memory of claims forgets it.
    const hadLostFacts = this.#claims.lost(after?.uid ?? '') !== undefined;
    this.#progress.note(before, after, hadLostFacts);
    this.#claims.note(before, after, this.#now());
    this.#unsigned.note(before, after);
    if (after?.kind === 'own') this.#forgetHandedOver(after.userUid);
    if (before?.kind === 'user' && after === undefined) {
      this.#podTold.delete(before.uid);
      this.#forgetHandedOver(before.uid);
    }
    return hadLostFacts;
  }

  /** Of a build that is gone. The one that acts may be another replica: its cleanup is seen, and may be gone before we act. */
  #forgetHandedOver(uid: string): void {
    const lost = this.#claims.lost(uid);
    if (lost === undefined || this.#options.taskRuns.byUid(uid) !== undefined) return;
    if (isHandedOverTo(this.#childrenOf(lost), lost)) this.#claims.forget(uid);
  }

  /** It may hold a slot although no facts show it: not to be given another one. */
  hasLostFacts(uid: string): boolean {
    if (this.#claims.lost(uid) !== undefined) return true;
    const current = this.#options.taskRuns.byUid(uid);
    if (current?.kind !== 'user') return false;
    const children = this.#childrenOf(current);
    if (children.length === 0) return isUnsigned(current);
    return readPhase(this.#observe(current, children), this.#now()) === 'unsigned';
  }

  /** Builds whose facts were lost: nothing else may ever ring for them. */
  lostBuilds(): Iterable<string> {
    return this.#claims.uids();
  }

  /** Slots of this host that are taken although no TaskRun shows it. */
  lostClaimsOn(host: string): number {
    return this.#claims.countOn(host) + this.#unsigned.countOn(host);
  }

  /** Hosts launched for builds of this platform whose TaskRuns do not show it. */
  lostHosts(platform: string): readonly string[] {
    return this.#claims.launchedHosts(platform);
  }

  /** Of those, slots that are only kept until it is known whether they are taken. */
  undecidedOn(host: string): number {
    return this.#unsigned.countOn(host, ['open']);
  }

  /** To be called after every write. */
  noteDone(action: Action): void {
    // A pod that was told its place in the queue still waits for this.
    if (action.type !== 'annotate-pod' || action.annotations[annotations.podAssignedHost] === undefined) return;
    this.#podTold.set(action.about.uid, action.about.podName);
  }

  async look(uid: string): Promise<Instant | undefined> {
    const older = readOlderBuildUid(uid);
    if (older !== undefined) return this.#lookAtOlder(uid, older.namespace, older.name);
    const current = this.#options.taskRuns.byUid(uid);
    const lost = this.#claims.lost(uid);
    if (lost !== undefined && current?.kind === 'user') {
      await this.#options.perform([{ type: 'patch-user-task-run', target: current, change: putBack(current, lost) }]);
      return undefined;
    }
    if (current?.kind === 'user') return this.#advance(this.#observe(current, this.#childrenOf(current)));
    return lost === undefined ? this.#lookAtRest(uid, this.#ours(uid)) : this.#lookAtTornAway(lost);
  }

  /** TaskRuns of an older controller know their build by name only. */
  async #lookAtOlder(uid: string, namespace: string, name: string): Promise<Instant | undefined> {
    const build = this.#options.taskRuns.get(namespace, name);
    const rest = this.#ours(uid).filter((child) => build?.kind !== 'user' || !mayWorkFor(child, build));
    return earliest([
      await this.#lookAtRest(uid, rest),
      build?.kind === 'user' ? await this.look(build.uid) : undefined,
    ]);
  }

  /** The build is gone; TaskRuns of ours that worked for it are left. */
  async #lookAtRest(uid: string, children: readonly OwnTaskRun[]): Promise<Instant | undefined> {
    const [first] = children;
    if (first === undefined) return undefined;
    const { userNamespace: namespace, userName: name } = first;
    return this.#advance({ ...this.#around({ uid, namespace, name }, children), taskRun: undefined, podTold: false });
  }

  /** Gone with its facts, because somebody removed our finalizer: its host is given back from what was last seen. */
  async #lookAtTornAway(lost: UserTaskRun): Promise<Instant | undefined> {
    const children = this.#childrenOf(lost);
    const observed = this.#observe({ ...lost, deleting: true }, children);
    if (isHandedOverTo(children, lost)) {
      // It exists, and carries on.
      this.#claims.forget(lost.uid);
      return this.#lookAtRest(lost.uid, this.#ours(lost.uid));
    }
    // Its Secret goes with it; one of that name may be a younger build's.
    const secret = secretNameFor(lost.name);
    return this.#advance(observed, (action) => action.type !== 'delete-secret' || action.name !== secret);
  }

  async #advance(observed: Observed, isToDo: (action: Action) => boolean = () => true): Promise<Instant | undefined> {
    const { uid } = observed.build;
    const { actions: all, lookAgainAt } = nextActions(observed, this.#now(), this.#options.keep);
    const actions = all.filter(isToDo);
    const { labelled } = observed;
    // From here on, and not only once it is written, nobody else gets that slot.
    if (labelled.to === 'host') this.#unsigned.decide(uid, labelled.hasRoom ? 'adopting' : 'not now');
    if (labelled.to === 'nothing') this.#unsigned.decide(uid, 'not now');
    try {
      await this.#options.perform(actions);
    } catch (error) {
      this.#unsigned.decide(uid, 'open');
      throw error;
    }
    // Handed over, to a cleanup that exists. Of a build that is there the cache tells, also what was set back meanwhile.
    if (this.#options.taskRuns.byUid(uid) === undefined && actions.some(givesBack)) this.#claims.forget(uid);
    return lookAgainAt;
  }

  #observe(taskRun: UserTaskRun, children: readonly OwnTaskRun[]): Observed {
    return {
      ...this.#around(taskRun, children),
      taskRun,
      podTold: this.#podTold.get(taskRun.uid) === taskRun.podName,
      labelled: taskRun.facts === undefined ? this.#options.knownHosts.labelled(taskRun) : { to: 'nothing' },
    };
  }

  #around(
    { uid, namespace, name }: Observed['build'],
    children: readonly OwnTaskRun[],
  ): Omit<Observed, 'taskRun' | 'podTold'> {
    const { hasReported, installation, knownHosts } = this.#options;
    return {
      build: { uid, namespace, name },
      children,
      reported: new Set(children.map((child) => child.uid).filter((it) => hasReported(it))),
      seen: this.#progress.of(uid),
      labelled: { to: 'nothing' },
      isConfigured: knownHosts.isConfigured,
      launchedPool: knownHosts.launchedPool,
      installation: installation(),
    };
  }

  #childrenOf(taskRun: UserTaskRun): OwnTaskRun[] {
    const older = this.#ours(olderBuildUid(taskRun.namespace, taskRun.name));
    return [...this.#ours(taskRun.uid), ...older.filter((child) => mayWorkFor(child, taskRun))];
  }

  #ours(uid: string): OwnTaskRun[] {
    return [...this.#options.taskRuns.by('children', uid)].flatMap((it) => (it.kind === 'own' ? [it] : []));
  }

  #now(): Instant {
    return this.#options.clock.now();
  }
}

function givesBack(action: Action): boolean {
  if (action.type !== 'patch-user-task-run') return false;
  const { facts } = action.change;
  return facts !== undefined && facts?.claim === undefined;
}

/** Names come back; what is older than the build worked for another one. */
function mayWorkFor(child: OwnTaskRun, build: UserTaskRun): boolean {
  return child.created >= build.created;
}

/** A cleanup carries on for what this build held. */
function isHandedOverTo(children: readonly OwnTaskRun[], { facts }: UserTaskRun): boolean {
  return undosOf({ children }, facts).length > 0;
}
