// The part of Tekton, played in the background: TaskRuns of ours start, do what they are for, and end; cancelled ones end;
// ones that are being deleted are never looked at again, as in Tekton itself. What becomes of each is a rule of the test.
import { setTimeout as sleep } from 'node:timers/promises';
import { LaunchedHosts } from './launched-hosts.ts';
import { factsOf, isLive, isRefused, label, paramOf, taskType } from './observed-task-run.ts';
import { isConnectionError, isUndone, RequestRefused } from './request-refused.ts';
import type { Raw, Scenario } from './scenario.ts';
import { endedStatus, runningStatus, type Ending } from './task-run-status.ts';

export interface Part {
  /** ms before it ends; default 0. */
  readonly after?: number;
  /** Default: it succeeds. `hangs`: it runs until it is cancelled. */
  readonly outcome?: 'succeeded' | 'failed' | 'hangs';
  /** Provision only: it succeeds without making the Secret. */
  readonly withoutSecret?: true;
  /** Launch only: nothing is ever there. */
  readonly withoutHost?: true;
  readonly results?: Readonly<Record<string, string>>;
}

export interface TektonRules {
  /** Each is asked once for each TaskRun of that kind. */
  readonly provision?: (taskRun: Raw) => Part;
  readonly clean?: (taskRun: Raw) => Part;
  /** The host is there from the beginning of its launch on, unless that says `withoutHost`. */
  readonly launch?: (taskRun: Raw) => Part;
  readonly terminate?: (taskRun: Raw) => Part;
  /** Instead of all that: what the Task of a provider really does. */
  readonly provider?: (taskRun: Raw) => Promise<Part>;
  /** ms a build goes on once its host is ready; default: until the test ends it. A refused build fails at once then. */
  readonly build?: (taskRun: Raw) => number;
  /** ms from the wish to cancel a TaskRun to its end. */
  readonly cancelAfter?: number;
}

const retryAfter = 50;
const staleFor = 10;

export function playTekton(scenario: Scenario, rules: TektonRules = {}, hosts = new LaunchedHosts()): Tekton {
  return new Tekton(scenario, rules, hosts);
}

export class Tekton {
  /** Launched, and not terminated. */
  readonly hosts: LaunchedHosts;
  readonly #scenario: Scenario;
  readonly #rules: TektonRules;
  readonly #stop = new AbortController();
  readonly #playing = new Set<Promise<void>>();
  readonly #begun = new Set<string>();
  /** Secrets that were asked for, by the uid of the TaskRun that makes them. */
  readonly #secrets = new Map<string, Promise<unknown>>();
  readonly #leave: () => void;
  readonly #problems: unknown[] = [];

  constructor(scenario: Scenario, rules: TektonRules, hosts: LaunchedHosts) {
    this.hosts = hosts;
    this.#scenario = scenario;
    this.#rules = rules;
    scenario.end.addEventListener('abort', () => this.#stop.abort(), { signal: this.#stop.signal });
    this.#leave = scenario.watched.onChange((_before, after) => this.#look(after));
  }

  /** Ends every part; rejects when one could not be played. */
  async stop(): Promise<void> {
    this.#leave();
    this.#stop.abort();
    await Promise.all(this.#playing);
    if (this.#problems.length > 0) throw this.#problems[0];
  }

  #look(taskRun: Raw): void {
    if (taskRun === undefined || !isLive(taskRun)) return;
    const type = taskType(taskRun);
    // A Task that misses all its params never runs; tests put such TaskRuns there to be in the way.
    if (type !== undefined && taskRun.spec.params === undefined) return;
    if (taskRun.spec.status !== undefined) this.#begin('cancel', taskRun, () => this.#cancel(taskRun));
    else if (type === 'provision') this.#begin('run', taskRun, () => this.#provision(taskRun));
    else if (type === 'clean') this.#begin('run', taskRun, () => this.#clean(taskRun));
    else if (type === 'list') this.#begin('run', taskRun, () => this.#list(taskRun));
    else if (type === 'launch') this.#begin('run', taskRun, () => this.#launch(taskRun));
    else if (type === 'terminate') this.#begin('run', taskRun, () => this.#terminate(taskRun));
    else if (type === undefined) this.#lookAtBuild(taskRun);
  }

  #lookAtBuild(build: Raw): void {
    const facts = factsOf(build);
    const time = this.#rules.build?.(build);
    if (time === undefined || facts === undefined) return;
    if (isRefused(build)) this.#begin('run', build, () => this.#build(build, 'failed', 0));
    else if (facts.ready === true) this.#begin('run', build, () => this.#build(build, 'succeeded', time));
  }

  #begin(part: 'run' | 'cancel', { metadata: { uid } }: Raw, play: () => Promise<void>): void {
    const key = `${part} ${uid}`;
    if (this.#begun.has(key)) return;
    this.#begun.add(key);
    const playing = this.#insist(play).finally(() => this.#playing.delete(playing));
    this.#playing.add(playing);
  }

  async #provision(taskRun: Raw): Promise<void> {
    const part = this.#rules.provision?.(taskRun) ?? {};
    if (!(await this.#run(taskRun, part)) || part.outcome === 'hangs') return;
    if (part.outcome === 'failed' || part.withoutSecret === true) return this.#end(taskRun, part.outcome, part.results);
    const failure = await this.#makeSecret(taskRun);
    await this.#end(taskRun, failure === undefined ? 'succeeded' : 'failed', failure ?? part.results);
  }

  /** Results of a failure, as tasks/provision-shared-host tells it. */
  #makeSecret(taskRun: Raw): Promise<Part['results']> {
    const made = this.#insistOnSecret(taskRun);
    this.#secrets.set(taskRun.metadata.uid, made);
    return made;
  }

  /** A Secret may be there because of an answer that was lost. */
  async #insistOnSecret(taskRun: Raw): Promise<Part['results']> {
    let sure = true;
    const refused = await this.#insistOn(
      () => this.#scenario.buildSecret(taskRun),
      () => (sure = false),
    );
    if (refused === undefined) return undefined;
    const taken = sure ? 'SecretExists' : 'SecretUncertain';
    return { REASON: refused.status === 409 ? taken : 'NamespaceGone', MESSAGE: refused.message };
  }

  async #clean(taskRun: Raw): Promise<void> {
    const part = this.#rules.clean?.(taskRun) ?? {};
    if (!(await this.#run(taskRun, part)) || part.outcome === 'hangs') return;
    await this.#end(taskRun, part.outcome, part.results);
  }

  async #provider(taskRun: Raw, play: (taskRun: Raw) => Promise<Part>): Promise<void> {
    if (!(await this.#run(taskRun, {}))) return;
    const { outcome = 'succeeded', results } = await play(taskRun);
    if (outcome !== 'hangs') await this.#end(taskRun, outcome, results);
  }

  async #list(taskRun: Raw): Promise<void> {
    if (this.#rules.provider !== undefined) return this.#provider(taskRun, this.#rules.provider);
    if (!(await this.#run(taskRun, {}))) return;
    const instances = this.hosts.tokens.map((token) => ({ id: `i-${token}`, token }));
    await this.#end(taskRun, 'succeeded', { INSTANCES: JSON.stringify(instances) });
  }

  async #launch(taskRun: Raw): Promise<void> {
    if (this.#rules.provider !== undefined) return this.#provider(taskRun, this.#rules.provider);
    const part = this.#rules.launch?.(taskRun) ?? {};
    const token = paramOf(taskRun, 'LAUNCH_TOKEN');
    if (part.withoutHost === undefined) this.hosts.launch(token, label(taskRun, 'target-platform') ?? '');
    if (!(await this.#run(taskRun, part)) || part.outcome === 'hangs') return;
    if (part.outcome === 'failed') return this.#end(taskRun, part.outcome, part.results);
    const told = { INSTANCE_ID: `i-${token}`, ADDRESS: `${token}.example.com`, USER: 'toy', ...part.results };
    const preparesItself = factsOf(taskRun)?.claim.launch.preparesItself === true && part.withoutSecret === undefined;
    const failure = preparesItself ? await this.#makeSecret(taskRun) : undefined;
    await this.#end(taskRun, failure === undefined ? 'succeeded' : 'failed', failure ?? told);
  }

  async #terminate(taskRun: Raw): Promise<void> {
    if (this.#rules.provider !== undefined) return this.#provider(taskRun, this.#rules.provider);
    const part = this.#rules.terminate?.(taskRun) ?? {};
    if (!(await this.#run(taskRun, part)) || part.outcome === 'hangs') return;
    if (part.outcome !== 'failed') this.hosts.terminate(paramOf(taskRun, 'LAUNCH_TOKEN'));
    await this.#end(taskRun, part.outcome, part.results);
  }

  async #build(taskRun: Raw, ending: Ending, after: number): Promise<void> {
    await this.#wait(after);
    await this.#end(taskRun, ending);
  }

  async #cancel(taskRun: Raw): Promise<void> {
    await this.#wait(this.#rules.cancelAfter);
    // What its pod asked for is long answered when the cleanup has a pod of its own. Here that would take no time at all.
    await this.#secrets.get(taskRun.metadata.uid);
    await this.#update(taskRun, isLive, endedStatus('cancelled', {}));
  }

  /** From its start to its end, which is not written yet; whether it got that far. */
  async #run(taskRun: Raw, { after }: Part): Promise<boolean> {
    await this.#update(taskRun, goesOn, runningStatus());
    await this.#wait(after);
    const current = this.#current(taskRun);
    return current !== undefined && goesOn(current) && !this.#stop.signal.aborted;
  }

  async #end(taskRun: Raw, ending: Ending = 'succeeded', results: Part['results'] = {}): Promise<void> {
    await this.#update(taskRun, goesOn, endedStatus(ending, results));
  }

  /** Like Tekton: on the version it saw, and again from a fresh one if that was an old one. */
  async #update(taskRun: Raw, isWanted: (current: Raw) => boolean, status: object): Promise<void> {
    const { namespace, name } = taskRun.metadata;
    while (!this.#stop.signal.aborted) {
      const current = this.#current(taskRun);
      if (current === undefined || !isWanted(current)) return;
      const { resourceVersion } = current.metadata;
      const refused = await this.#insistOn(() => this.#scenario.status(namespace, name, status, resourceVersion));
      if (refused?.status !== 409) return;
      await this.#wait(staleFor);
    }
  }

  #current({ metadata: { uid } }: Raw): Raw {
    return this.#scenario.watched.all.find((it) => it.metadata.uid === uid);
  }

  async #wait(ms = 0): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #insist(play: () => Promise<void>): Promise<void> {
    try {
      await play();
    } catch (error) {
      this.#problems.push(error);
    }
  }

  /** Again until the API server answers; its refusal is returned. `unsure`: what was asked may have been done. */
  async #insistOn(request: () => Promise<unknown>, unsure?: () => unknown): Promise<RequestRefused | undefined> {
    while (!this.#stop.signal.aborted) {
      try {
        await request();
        return undefined;
      } catch (error) {
        if (!(error instanceof RequestRefused) && !isConnectionError(error)) throw error;
        if (error instanceof RequestRefused && error.status !== 429 && error.status < 500) return error;
        if (!isUndone(error)) unsure?.();
        await this.#wait(retryAfter);
      }
    }
    return undefined;
  }
}

/** Neither ended, cancelled nor being deleted. */
function goesOn(taskRun: Raw): boolean {
  return isLive(taskRun) && taskRun.spec.status === undefined;
}
