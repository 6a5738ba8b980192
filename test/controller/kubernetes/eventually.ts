// Waits for something another party will make true. How long is the test's own time limit; nothing here measures.
import { setTimeout as sleep } from 'node:timers/promises';

export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  signal?: AbortSignal,
): Promise<void> {
  while (!(await holds())) {
    if (signal?.aborted === true) throw new Error(`given up waiting: ${what}`);
    await sleep(5);
  }
}
