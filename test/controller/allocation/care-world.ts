// Hosts and their update TaskRuns as a decision about care sees them, and what it came to as short sentences.
import {
  nextCare,
  noCareYet,
  type CareHost,
  type CarePlan,
  type CareSnapshot,
} from '../../../controller/allocation/next-care.ts';
import type { CareSettings } from '../../../controller/model/care.ts';
import { hour, minute, type Instant } from '../../../controller/model/instant.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { updateTaskRun } from '../../../controller/taskruns/update-task-run-manifest.ts';
import { endedStatus, instantText, operatorNamespace, readOwn } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';

export const day = 24 * hour;

export interface AnUpdate {
  readonly of: string;
  readonly created: Instant;
  readonly ended?: Instant;
  readonly reason?: string;
  readonly podName?: string;
  readonly deleting?: boolean;
  readonly cancelled?: boolean;
}

export function anUpdate({ of, created, ended, reason, podName = 'pod', ...more }: AnUpdate): OwnTaskRun {
  const manifest = updateTaskRun(aHost(of).build(), created, operatorNamespace);
  const ending = ended === undefined ? {} : endedStatus(reason === undefined ? 'succeeded' : 'failed', ended);
  const results = reason === undefined ? [] : [{ name: 'REASON', value: reason }];
  const read = readOwn({
    metadata: {
      ...manifest.metadata,
      uid: `${of}@${created}`,
      resourceVersion: '1',
      creationTimestamp: instantText(created),
      ...(more.deleting ? { deletionTimestamp: instantText(created) } : {}),
    },
    spec: { ...manifest.spec, ...(more.cancelled ? { status: 'TaskRunCancelled' } : {}) },
    status: { podName, results, ...ending },
  });
  if (read === undefined) throw new Error('not an update TaskRun');
  return read;
}

export class CareWorld {
  now: Instant = start;
  settings: CareSettings = { updateInterval: day, drainTimeout: 15 * minute };
  hosts: CareHost[];
  runs: OwnTaskRun[] = [];
  plan: CarePlan = { memory: noCareYet, drained: undefined, steps: [], lookAgainAt: undefined };

  constructor(...names: readonly string[]) {
    this.hosts = names.map((name) => ({
      host: aHost(name).build(),
      cordoned: false,
      hasSshSecret: true,
      users: 0,
    }));
  }

  set(name: string, change: Partial<CareHost>): this {
    this.hosts = this.hosts.map((it) => (it.host.name === name ? { ...it, ...change } : it));
    return this;
  }

  /** One look at this instant; what it wants, and which host is drained. */
  look(): string[] {
    const snapshot: CareSnapshot = { settings: this.settings, hosts: this.hosts, runs: this.runs };
    this.plan = nextCare(snapshot, this.plan.memory, this.now, 24 * hour);
    const steps = this.plan.steps.map((step) => {
      if (step.type === 'update') return `update ${step.host.name}`;
      if (step.type === 'skip') return `skip ${step.host.name}: ${step.why}`;
      return `${step.type} ${step.run.host}`;
    });
    return [...steps, ...(this.plan.drained === undefined ? [] : [`${this.plan.drained} drained`])];
  }

  lookAt(time: Instant): string[] {
    this.now = start + time;
    return this.look();
  }

  /** In how many ms it wants to look again. */
  get lookAgainIn(): number | undefined {
    return this.plan.lookAgainAt === undefined ? undefined : this.plan.lookAgainAt - this.now;
  }

  /** An update of that host begins now, as decided. */
  begin(name: string, podName = 'pod'): void {
    this.runs.push(anUpdate({ of: name, created: this.now, podName }));
  }

  end(name: string, reason?: string): void {
    this.runs = this.runs.map((run) =>
      run.host === name && run.outcome === 'running'
        ? anUpdate({ of: name, created: run.created, ended: this.now, ...(reason === undefined ? {} : { reason }) })
        : run,
    );
  }
}
