// Every request each controller made, as the API server itself wrote them down. Watches are counted apart: they are
// opened by the clock, not by builds.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RequestCount {
  /** Reads and writes for builds: no Events, no leader Lease, no watch, no list. */
  readonly reads: number;
  readonly writes: number;
  readonly events: number;
  readonly lists: number;
}

interface AuditEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string };
}

export class AuditLog {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** The log, and the flags that make the API server write it: requests of these users only. */
  static async prepare(
    folder: string,
    users: readonly string[],
  ): Promise<{ readonly log: AuditLog; readonly flags: readonly string[] }> {
    const file = join(folder, 'audit.log');
    const policy = join(folder, 'audit-policy.json');
    const rules = [{ level: 'Metadata', users, omitStages: ['RequestReceived', 'ResponseStarted'] }, { level: 'None' }];
    await writeFile(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
    await writeFile(file, '');
    return { log: new AuditLog(file), flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${file}`] };
  }

  /** Where the log ends now. */
  mark(): number {
    return statSync(this.#file).size;
  }

  /** What `user` asked for since the mark. */
  since(mark: number, user: string, namespace?: string): RequestCount {
    const count = { reads: 0, writes: 0, events: 0, lists: 0 };
    for (const { verb, objectRef, user: who } of this.#entries(mark)) {
      if (who.username !== user || verb === 'watch') continue;
      if (objectRef === undefined || objectRef.resource === 'leases') continue;
      if (namespace !== undefined && objectRef.namespace !== namespace) continue;
      if (objectRef.resource === 'events') count.events += 1;
      else if (verb === 'list') count.lists += 1;
      else if (verb === 'get') count.reads += 1;
      else count.writes += 1;
    }
    return count;
  }

  *#entries(mark: number): Iterable<AuditEntry> {
    const file = openSync(this.#file, 'r');
    try {
      const bytes = Buffer.alloc(this.mark() - mark);
      readSync(file, bytes, 0, bytes.length, mark);
      for (const line of bytes.toString('utf8').split('\n')) {
        if (line === '') continue;
        const entry: AuditEntry = JSON.parse(line);
        yield entry;
      }
    } finally {
      closeSync(file);
    }
  }
}
