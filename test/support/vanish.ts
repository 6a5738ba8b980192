// A TaskRun that is gone at once, as one that hangs when somebody takes its finalizers off.
import { RequestRefused } from './request-refused.ts';
import type { Scenario } from './scenario.ts';

/** A controller that sees it in time puts its finalizer back: then once more. */
export async function vanish(scenario: Scenario, namespace: string, name: string): Promise<void> {
  while ((await scenario.taskRun(namespace, name)) !== undefined) {
    try {
      await scenario.change(namespace, name, { metadata: { finalizers: null } });
      await scenario.remove(namespace, name);
    } catch (error) {
      if (!(error instanceof RequestRefused) || error.status !== 404) throw error;
    }
  }
}
