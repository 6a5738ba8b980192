// A signal for one watch that ends with its owner's or after a time, and leaves nothing behind.
import type { Duration } from '../model/instant.ts';

/** Aborts with `signal` or after the time. Not AbortSignal.any, which keeps memory per call while the root lives. */
export function limitedSignal(signal: AbortSignal, time: Duration): { readonly signal: AbortSignal; release(): void } {
  const limited = new AbortController();
  const abort = (): void => limited.abort();
  const timer = setTimeout(abort, time);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return {
    signal: limited.signal,
    release: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}
