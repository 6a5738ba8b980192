// Decisions that are being written: which builds they are about, and which slots they take. A slot counts here until the
// cache shows it, so that it is neither given away twice nor counted twice.
import type { UserTaskRun } from '../model/task-run.ts';
import { staticHostOf, type TaskRuns } from './take-snapshot.ts';

interface Assumed {
  readonly namespace: string;
  /** undefined: a decision that takes no slot. */
  readonly host: string | undefined;
}

export class AssumedClaims {
  readonly #taskRuns: TaskRuns;
  readonly #byUid = new Map<string, Assumed>();

  constructor(taskRuns: TaskRuns) {
    this.#taskRuns = taskRuns;
  }

  add({ uid, namespace }: UserTaskRun, host: string | undefined): void {
    this.#byUid.set(uid, { namespace, host });
  }

  delete(uid: string): void {
    this.#byUid.delete(uid);
  }

  has(uid: string): boolean {
    return this.#byUid.has(uid);
  }

  /** Claims the cache does not show yet, by host: the namespace of each. */
  unseen(): Map<string, string[]> {
    const byHost = new Map<string, string[]>();
    for (const [uid, { namespace, host }] of this.#byUid) {
      const seen = this.#taskRuns.byUid(uid);
      if (host === undefined || (seen?.kind === 'user' && staticHostOf(seen) === host)) continue;
      const namespaces = byHost.get(host);
      if (namespaces === undefined) byHost.set(host, [namespace]);
      else namespaces.push(namespace);
    }
    return byHost;
  }
}
