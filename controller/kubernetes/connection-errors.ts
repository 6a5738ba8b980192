// Requests that got no answer, in the same words as those that got one. Classifies; never retries.
import { errors } from 'undici';
import type { Duration } from '../model/instant.ts';
import { ApiError } from './api-errors.ts';

/** Why a request was given up: our own deadline. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(deadline: Duration) {
    super(`no answer within ${Math.round(deadline)} ms`);
  }
}

/** `sent`: the request may have reached the server. An ApiError stays what it is. */
export function apiErrorFromFailure(request: string, thrown: unknown, sent: boolean): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const timedOut =
    thrown instanceof DeadlineError ||
    thrown instanceof errors.HeadersTimeoutError ||
    thrown instanceof errors.BodyTimeoutError ||
    thrown instanceof errors.ConnectTimeoutError;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError({
    kind: timedOut ? 'timeout' : 'unavailable',
    message: `${request}: ${why}`,
    ambiguous: sent,
    cause: thrown,
  });
}
