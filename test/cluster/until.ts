// Waits for what a cluster does in its own time. The limit is there to say what was waited for; no test is about it.
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds; what is waited for takes seconds, on a busy machine minutes. */
const limit = 300_000;

/** Asks again and again until the answer is not undefined. `explain` says what is missing when that does not happen. */
export async function until<Answer>(
  probe: () => Promise<Answer | undefined>,
  explain: () => string | Promise<string>,
): Promise<Answer> {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(await explain());
    await sleep(250);
  }
}
