// What a person sees while the demo runs: one line a stage, with its seconds; a failure says which stage it was.

const started = performance.now();

/** Seconds since the process started, as text. */
export function elapsed(): string {
  return `${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s`;
}

export function say(text: string): void {
  console.log(`[${elapsed()}] ${text}`);
}

/** Prints what begins and what it took; every 15 seconds that it is still going on. */
export async function stage<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const began = performance.now();
  say(`${name} …`);
  const reminder = setInterval(() => say(`${name}: still at it`), 15_000);
  try {
    const result = await work();
    say(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    say(`${name}: FAILED`);
    throw error;
  } finally {
    clearInterval(reminder);
  }
}
