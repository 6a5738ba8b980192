// What was seen of each build, and of the TaskRuns that worked for it, step by step: a violation an hour into a soak is
// worth nothing without it. Of builds nobody complains about only the latest are remembered.
import { annotation, label, type Raw, resultOf } from '../support/observed-task-run.ts';
import type { Scenario } from '../support/scenario.ts';

/** Builds; each has about ten steps. */
const remembered = 2000;

export class History {
  readonly #scenario: Scenario;
  /** By namespace/name, in the order of the last step. */
  readonly #steps = new Map<string, string[]>();
  readonly #kept = new Set<string>();
  #violations = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    scenario.watched.onChange((before, after) => this.#note(before, after));
  }

  /** Of the builds this sentence names. */
  of(violation: string): readonly string[] {
    return namesIn(violation).flatMap((name) => this.#steps.get(name) ?? []);
  }

  #note(before: Raw, after: Raw): void {
    const taskRun = after ?? before;
    const name = `${label(taskRun, 'user-task-namespace') ?? taskRun.metadata.namespace}/${label(taskRun, 'user-task-name') ?? taskRun.metadata.name}`;
    const steps = this.#steps.get(name) ?? [];
    const what = before === undefined ? 'new' : after === undefined ? 'gone' : 'changed';
    steps.push(
      `${new Date().toISOString()} ${this.#scenario.watched.skipped ? 'then ' : ''}${what} ${textOf(taskRun)}`,
    );
    this.#steps.delete(name);
    this.#steps.set(name, steps);
    this.#keepViolators();
    for (const [oldest] of this.#steps) {
      if (this.#steps.size - this.#kept.size <= remembered) break;
      if (!this.#kept.has(oldest)) this.#steps.delete(oldest);
    }
  }

  /** The invariants listen, too, and before us. */
  #keepViolators(): void {
    const { violations } = this.#scenario.invariants;
    for (const violation of violations.slice(this.#violations))
      for (const name of namesIn(violation)) this.#kept.add(name);
    this.#violations = violations.length;
  }
}

function namesIn(violation: string): string[] {
  return violation.match(/\b[\w-]+\/[\w-]+/g) ?? [];
}

function textOf(taskRun: Raw): string {
  const { name, resourceVersion, deletionTimestamp, finalizers } = taskRun.metadata;
  const { status, reason } = taskRun.status?.conditions?.[0] ?? {};
  const parts = {
    version: resourceVersion,
    succeeded: status,
    reason,
    result: resultOf(taskRun, 'REASON'),
    wish: taskRun.spec.status,
    deleted: deletionTimestamp,
    finalizers: finalizers?.join(','),
    host: label(taskRun, 'assigned-host'),
    facts: annotation(taskRun, 'host-lease')?.replace(/^[^{]*/, ''),
  };
  const told = Object.entries(parts).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return [name, ...told].join(' ');
}
