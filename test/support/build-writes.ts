// What the controller writes for each build, counted build by build as it passes a proxy, and mischief at the nth of
// those writes. So every n is tried at once, each with a build of its own. Events do not count.
import type { ChaosProxy } from './chaos-proxy.ts';
import { isWrite, type Mischief, type PassedRequest } from './chaos-rules.ts';

/** From the count of a write (1, 2, …), what becomes of it. */
export type Fault = (nth: number, request: PassedRequest) => Mischief | undefined;

const cut: Mischief = { type: 'cut' };

export class BuildWrites {
  /** Finds the build's name by the name of anything that is written for it. */
  readonly #buildOf: (name: string) => string | undefined;
  readonly #faults = new Map<string, Fault>();
  readonly #writes = new Map<string, PassedRequest[]>();
  readonly #ended = new Set<string>();

  constructor(proxy: ChaosProxy, buildOf: (name: string) => string | undefined) {
    this.#buildOf = buildOf;
    proxy.add({ mischief: (request) => this.#decide(request) });
  }

  fault(build: string, fault: Fault): void {
    this.#faults.set(build, fault);
  }

  /** For this build the world ends after its nth write: nothing of the controller reaches the API server any more. */
  endAfter(build: string, nth: number): void {
    this.#faults.set(build, (count) => (count > nth ? this.#end(build) : undefined));
  }

  /** The same after `count` writes that changed something: what was there, or gone, already does not count. */
  endAfterChanges(build: string, count: number): void {
    this.#faults.set(build, () => {
      const changed = this.#requestsOf(build).filter(({ status }) => status !== undefined && status < 300);
      return changed.length >= count ? this.#end(build) : undefined;
    });
  }

  /** The controller has tried to go on after the end. */
  hasEnded(build: string): boolean {
    return this.#ended.has(build);
  }

  /** Everything passes again; counts start anew. */
  clear(): void {
    this.#faults.clear();
    this.#writes.clear();
    this.#ended.clear();
  }

  /** What was written for this build, or tried, in order. */
  of(build: string): readonly string[] {
    return this.#requestsOf(build).map(({ verb, resource, name }) => {
      const role = /-(prov|cleanup|launch|terminate)-/.exec(name ?? '')?.[1];
      return `${verb} ${role ?? resource}`;
    });
  }

  #end(build: string): Mischief {
    this.#ended.add(build);
    return cut;
  }

  #requestsOf(build: string): PassedRequest[] {
    const known = this.#writes.get(build) ?? [];
    this.#writes.set(build, known);
    return known;
  }

  #decide(request: PassedRequest): Mischief | undefined {
    if (!isWrite(request) || request.resource === 'events') return undefined;
    const build = this.#buildOf(request.name ?? '');
    if (build === undefined) return undefined;
    const writes = this.#requestsOf(build);
    writes.push(request);
    return this.#faults.get(build)?.(writes.length, request);
  }
}
