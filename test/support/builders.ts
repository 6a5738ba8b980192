// What tests talk about: builds, and TaskRuns of ours that work for them. Each builder ends in the raw object an API server
// would send, or in what the controller keeps of it, read by the product's own code.
import { createSecretKey } from 'node:crypto';
import {
  claimHost,
  claimLocal,
  giveUpHost,
  markReady,
  markTold,
  rejectUntold,
  release,
} from '../../controller/lease/write-lease.ts';
import { signChange } from '../../controller/lease/sign-change.ts';
import { parseFacts, verifyFacts } from '../../controller/lease/signed-facts.ts';
import type { Host } from '../../controller/model/host.ts';
import type { LeaseFacts } from '../../controller/model/host-lease.ts';
import type { Instant } from '../../controller/model/instant.ts';
import type { TaskRunManifest, UserTaskRunChange } from '../../controller/model/action.ts';
import { asObject, type Json } from '../../controller/model/json.ts';
import { annotations } from '../../controller/model/labels.ts';
import type { RejectReason } from '../../controller/model/reason.ts';
import type { OwnTaskRun, UserTaskRun } from '../../controller/model/task-run.ts';
import { provisionTaskRun, type Installation } from '../../controller/taskruns/own-task-run-manifest.ts';
import { undoTaskRun } from '../../controller/taskruns/undo-task-run.ts';
import { readOwnTaskRun } from '../../controller/taskruns/read-own-task-run.ts';
import { readUserTaskRun } from '../../controller/taskruns/read-user-task-run.ts';
import { userTaskRunPatch } from '../../controller/taskruns/user-task-run-patch.ts';
import { aHost, HostBuilder, platform, start } from './host-builders.ts';
import { applyJsonPatch } from './json-patch.ts';

export const testKey = createSecretKey(Buffer.alloc(32, 7));
export const anotherKey = createSecretKey(Buffer.alloc(32, 8));
export const operatorNamespace = 'multi-platform-controller';
export const installation: Installation = { operatorNamespace, instanceTag: 'test-tag' };

export function readBuild(raw: Json): UserTaskRun | undefined {
  return readUserTaskRun(raw, (uid, signed) => verifyFacts(testKey, uid, signed));
}

export function readOwn(raw: Json): OwnTaskRun | undefined {
  return readOwnTaskRun(raw, parseFacts);
}

export function instantText(instant: Instant): string {
  return new Date(instant).toISOString();
}

interface RawTaskRun {
  metadata: Record<string, unknown>;
  spec: Record<string, unknown>;
  status: Record<string, unknown>;
}

type Ending = 'succeeded' | 'failed';

/** Condition and completion time, as Tekton writes them. */
export function endedStatus(ending: Ending, at: Instant, message = 'as the test said'): Record<string, unknown> {
  const status = ending === 'succeeded' ? 'True' : 'False';
  return { conditions: [{ type: 'Succeeded', status, message }], completionTime: instantText(at) };
}

/** A build: a TaskRun that mounts a Secret of ours and names a PLATFORM. */
export class TaskRunBuilder {
  readonly #raw: RawTaskRun;

  constructor() {
    const conditions = [{ type: 'Succeeded', status: 'Unknown' }];
    const volumes = [{ name: 'ssh', secret: { secretName: 'multi-platform-ssh-build', optional: true } }];
    this.#raw = {
      metadata: {
        name: 'build',
        namespace: 'team-a',
        uid: 'uid-of-build',
        resourceVersion: '1',
        creationTimestamp: instantText(start),
      },
      spec: {},
      status: { conditions, taskSpec: { volumes } },
    };
  }

  named(name: string, namespace = 'team-a'): this {
    Object.assign(this.#raw.metadata, { name, namespace, uid: `uid-of-${namespace}-${name}` });
    return this;
  }

  forPlatform(value: unknown): this {
    this.#raw.spec['params'] = [{ name: 'PLATFORM', value }];
    return this;
  }

  createdAt(instant: Instant): this {
    this.#raw.metadata['creationTimestamp'] = instantText(instant);
    return this;
  }

  withPod(podName: string): this {
    this.#raw.status['podName'] = podName;
    return this;
  }

  /** Holds a slot; each call is one more attempt. */
  claimed(host: Host | HostBuilder = aHost(), since: Instant = start): this {
    return this.changed((taskRun) => claimHost(taskRun, host instanceof HostBuilder ? host.build() : host, since));
  }

  claimedLocally(since: Instant = start): this {
    return this.changed((taskRun) => claimLocal(taskRun, platform(taskRun.platform ?? ''), since));
  }

  ready(): this {
    return this.changed(({ facts }) => (facts === undefined ? {} : markReady(facts)));
  }

  /** The provision on its host failed: waits for another. */
  gaveUpHost(): this {
    return this.changed((taskRun) => (taskRun.facts === undefined ? {} : giveUpHost(taskRun, taskRun.facts)));
  }

  /** And not yet told why. */
  refused(reason: RejectReason, message = 'no host'): this {
    return this.changed((taskRun) => rejectUntold(taskRun, { reason, message }));
  }

  rejected(reason: RejectReason): this {
    return this.refused(reason).changed(markTold);
  }

  released(): this {
    return this.changed((taskRun) => release(taskRun));
  }

  ended(ending: Ending = 'succeeded', at: Instant = start): this {
    Object.assign(this.#raw.status, endedStatus(ending, at));
    return this;
  }

  deleting(at: Instant = start): this {
    this.#raw.metadata['deletionTimestamp'] = instantText(at);
    return this;
  }

  with(edit: (raw: RawTaskRun) => void): this {
    edit(this.#raw);
    return this;
  }

  raw(): RawTaskRun {
    return structuredClone(this.#raw);
  }

  build(): UserTaskRun {
    const kept = readBuild({ ...this.#raw });
    if (kept === undefined) throw new Error('this is not a build');
    return kept;
  }

  /** With a change the controller would make. */
  changed(changeOf: (taskRun: UserTaskRun) => UserTaskRunChange): this {
    const taskRun = this.build();
    const { change, signedFacts } = signChange(testKey, taskRun.uid, changeOf(taskRun));
    applyJsonPatch(this.#raw, userTaskRunPatch(taskRun, change, signedFacts));
    return this;
  }
}

export function aTaskRun(): TaskRunBuilder {
  return new TaskRunBuilder();
}

/** A TaskRun of ours for one build, as the controller would create it, and what became of it since. */
export class OwnTaskRunBuilder {
  readonly #raw: RawTaskRun;

  constructor(manifest: TaskRunManifest) {
    const { metadata, spec } = structuredClone(manifest);
    this.#raw = {
      metadata: {
        ...metadata,
        uid: `uid-of-${metadata.name}`,
        resourceVersion: '1',
        creationTimestamp: instantText(start),
      },
      spec: { ...spec },
      status: {},
    };
  }

  ended(ending: Ending, at: Instant = start, results: Readonly<Record<string, string>> = {}): this {
    Object.assign(this.#raw.status, endedStatus(ending, at), {
      results: Object.entries(results).map(([name, value]) => ({ name, value })),
    });
    return this;
  }

  cancelled(): this {
    this.#raw.spec['status'] = 'TaskRunCancelled';
    return this;
  }

  deleting(at: Instant = start): this {
    this.#raw.metadata['deletionTimestamp'] = instantText(at);
    return this;
  }

  with(edit: (raw: RawTaskRun) => void): this {
    edit(this.#raw);
    return this;
  }

  raw(): RawTaskRun {
    return structuredClone(this.#raw);
  }

  build(): OwnTaskRun {
    const kept = readOwn({ ...this.#raw });
    if (kept === undefined) throw new Error('this is not a TaskRun of ours');
    return kept;
  }
}

/** For a build that holds a claim. */
export function aProvisionFor(build: UserTaskRun): OwnTaskRunBuilder {
  const { facts, claim } = claimOf(build);
  return new OwnTaskRunBuilder(provisionTaskRun(build, facts, claim, installation));
}

/** Of a launched host: the TaskRun that terminates it. */
export function aCleanupFor(build: UserTaskRun, nth = 1): OwnTaskRunBuilder {
  const { facts, claim } = claimOf(build);
  return new OwnTaskRunBuilder(undoTaskRun(build, facts, claim, nth, installation));
}

export function claimOf(build: UserTaskRun): { facts: LeaseFacts; claim: NonNullable<LeaseFacts['claim']> } {
  const facts = factsOf(build);
  const { claim } = facts;
  if (claim === undefined) throw new Error('give a build that holds a claim');
  return { facts, claim };
}

export function factsOf(taskRun: UserTaskRun): LeaseFacts {
  if (taskRun.facts === undefined) throw new Error(`TaskRun ${taskRun.name} has no facts`);
  return taskRun.facts;
}

/** The annotation a build carries, of whatever it is. */
export function signedFactsOf(raw: { metadata: Record<string, unknown> }): unknown {
  return asObject(raw.metadata['annotations'])[annotations.hostLease];
}
