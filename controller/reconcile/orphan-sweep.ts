// Removes what is left of us and belongs to nobody: seen in one sweep, seen again in the next, then removed. So nothing goes
// because a cache was behind for a moment.
import type { KubeObject } from '../kubernetes/cluster.ts';
import { remove } from '../lease/build-actions.ts';
import type { Action } from '../model/action.ts';
import type { Clock } from '../model/clock.ts';
import type { Duration } from '../model/instant.ts';
import { labels } from '../model/labels.ts';
import type { KeptTaskRun } from '../model/task-run.ts';
import { isOrphaned } from '../taskruns/is-orphaned.ts';
import type { Perform } from './perform.ts';
import type { TaskRuns } from './take-snapshot.ts';

/** A Secret of ours in the operator namespace that one build needs until it has given back its host. */
export interface OwnedSecret {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** uid of the build's TaskRun. '': it does not say, so it is left alone. */
  readonly buildUid: string;
}

export type OrphanKind = 'task-run' | 'secret';

export interface OrphanSweepOptions {
  readonly taskRuns: TaskRuns;
  readonly ownedSecrets: { values(): Iterable<OwnedSecret> };
  readonly perform: Perform;
  readonly clock: Pick<Clock, 'now'>;
  /** How long a TaskRun of ours that ended is kept. */
  readonly keep: Duration;
  readonly onRemoved: (kind: OrphanKind, name: string) => void;
  readonly onError: (name: string, error: unknown) => void;
}

interface Orphan {
  readonly uid: string;
  readonly kind: OrphanKind;
  readonly name: string;
  readonly removal: readonly Action[];
}

export function readOwnedSecret({ metadata }: KubeObject): OwnedSecret {
  const { uid, name, namespace = '', resourceVersion } = metadata;
  return { uid, name, namespace, resourceVersion, buildUid: metadata.labels?.[labels.userTaskUid] ?? '' };
}

export class OrphanSweep {
  readonly #options: OrphanSweepOptions;
  #marked: ReadonlySet<string> = new Set();

  constructor(options: OrphanSweepOptions) {
    this.#options = options;
  }

  /** To be called once per sweep, by the leader. Never rejects. */
  async sweep(): Promise<void> {
    const { perform, onRemoved, onError } = this.#options;
    const found = [...this.#taskRuns(), ...this.#secrets()];
    const confirmed = found.filter(({ uid }) => this.#marked.has(uid));
    this.#marked = new Set(found.map(({ uid }) => uid));
    for (const { kind, name, removal } of confirmed) {
      try {
        await perform(removal);
        onRemoved(kind, name);
      } catch (error) {
        onError(name, error);
      }
    }
  }

  #taskRuns(): Orphan[] {
    const { taskRuns, clock, keep } = this.#options;
    return [...taskRuns.values()].flatMap((taskRun) => {
      if (taskRun.kind !== 'own' || !isOrphaned(taskRun, clock.now(), keep)) return [];
      return [{ uid: taskRun.uid, kind: 'task-run', name: taskRun.name, removal: remove(taskRun) }];
    });
  }

  #secrets(): Orphan[] {
    const { taskRuns, ownedSecrets } = this.#options;
    return [...ownedSecrets.values()].flatMap(({ uid, namespace, name, buildUid }) => {
      const wanted = buildUid === '' || isHeld(taskRuns.byUid(buildUid)) || hasChild(taskRuns, buildUid);
      return wanted ? [] : [{ uid, kind: 'secret', name, removal: [{ type: 'delete-secret', namespace, name }] }];
    });
  }
}

/** The build goes on, or what it had is still to be given back: its Secrets go with that. */
function isHeld(build: KeptTaskRun | undefined): boolean {
  return build?.kind === 'user' && (build.outcome === 'running' || build.hasFinalizer);
}

/** A provision TaskRun may be about to need it although its build is gone: that one is ended first. */
function hasChild(taskRuns: TaskRuns, buildUid: string): boolean {
  return [...taskRuns.by('children', buildUid)].some(
    (child) => child.kind === 'own' && child.type === 'provision' && child.outcome === 'running',
  );
}
