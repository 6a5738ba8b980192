// Decisions that are being written: which builds they are about, and which slots they take. A slot counts here until the
// cache shows it, so that it is neither given away twice nor counted twice.
import type { UserTaskRun } from '../model/task-run.ts';
import type { AssumedLaunch } from './take-launched-snapshot.ts';
import type { TaskRuns } from './take-snapshot.ts';

interface Assumed {
  readonly namespace: string;
  /** undefined: a decision that takes no slot. */
  readonly host: string | undefined;
  readonly platform: string | undefined;
}

export class AssumedClaims {
  readonly #taskRuns: TaskRuns;
  readonly #byUid = new Map<string, Assumed>();

  constructor(taskRuns: TaskRuns) {
    this.#taskRuns = taskRuns;
  }

  add({ uid, namespace, platform }: UserTaskRun, host: string | undefined): void {
    this.#byUid.set(uid, { namespace, host, platform });
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
      if (host === undefined || this.#shows(uid, host)) continue;
      const namespaces = byHost.get(host);
      if (namespaces === undefined) byHost.set(host, [namespace]);
      else namespaces.push(namespace);
    }
    return byHost;
  }

  /** The same, of one platform: hosts that are to be launched. */
  unseenOf(platform: string): AssumedLaunch[] {
    return [...this.#byUid].flatMap(([uid, { namespace, host, ...claim }]) =>
      host === undefined || claim.platform !== platform || this.#shows(uid, host) ? [] : [{ host, namespace }],
    );
  }

  #shows(uid: string, host: string): boolean {
    const seen = this.#taskRuns.byUid(uid);
    return seen?.kind === 'user' && seen.facts?.claim?.host === host;
  }
}
