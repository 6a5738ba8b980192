// perform() on a cluster in memory, with a record of what it asked for, said was done, and gave to the cache.
import type { Action } from '../../../controller/model/action.ts';
import { hour } from '../../../controller/model/instant.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { provisionTaskRun } from '../../../controller/taskruns/own-task-run-manifest.ts';
import { aTaskRun, factsOf, installation, operatorNamespace, readBuild, readOwn } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { performOn } from '../../support/perform-on.ts';

const host = aHost('h').build();

export class PerformStand {
  readonly cluster = new MemoryCluster(new ManualClock());
  readonly done: string[] = [];
  readonly written: string[] = [];
  readonly deleted: string[] = [];
  /** What was left undone for want of a right. */
  readonly forbidden: string[] = [];
  readonly perform = performOn(this.cluster, new ManualClock(), {
    taskRuns: {
      written: ({ name }: KeptTaskRun) => void this.written.push(name),
      deletedByUs: (uid: string) => void this.deleted.push(uid),
    },
    // Long after builds were made: a Secret that is in the way stays.
    clock: { now: () => start + hour },
    onForbidden: ({ type }) => void this.forbidden.push(type),
    onDone: ({ type }) => void this.done.push(type),
  });

  /** The build as the API server has it, claimed or not. */
  build(builder = aTaskRun().forPlatform('linux/arm64').claimed(host)): UserTaskRun {
    const { metadata, spec, status } = builder.raw();
    const kept = readBuild(
      this.cluster.put('taskruns', 'team-a', { metadata: { ...metadata, name: 'build' }, spec, status }),
    );
    if (kept === undefined) throw new Error('not a build');
    const signed = kept.signedFacts === undefined ? {} : { facts: factsOf(builder.build()) };
    return { ...kept, ...signed };
  }

  own(builder: { raw: () => { metadata: Record<string, unknown> } }): OwnTaskRun {
    const raw = builder.raw();
    const name = String(raw.metadata['name']);
    const kept = readOwn(
      this.cluster.put('taskruns', operatorNamespace, { ...raw, metadata: { ...raw.metadata, name } }),
    );
    if (kept === undefined) throw new Error('not ours');
    return kept;
  }

  /** Verb and resource of each request, Events left out. */
  asked(): string[] {
    const requests = this.cluster.requests.filter(({ resource }) => resource !== 'events');
    return requests.map(({ verb, resource, dryRun }) => `${verb} ${resource}${dryRun ? ' (dry run)' : ''}`);
  }

  async failure(...actions: Action[]): Promise<unknown> {
    return this.perform(actions).then(
      () => undefined,
      (error: unknown) => error,
    );
  }
}

export function provisionFor(build: UserTaskRun): Extract<Action, { type: 'create-task-run' }> {
  const facts = factsOf(build);
  if (facts.claim === undefined) throw new Error('not claimed');
  return { type: 'create-task-run', manifest: provisionTaskRun(build, facts, facts.claim, installation) };
}
