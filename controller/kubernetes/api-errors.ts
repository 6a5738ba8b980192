// What can go wrong with a request, in the words the rest of the controller decides by. Classifies; never retries.

export type ApiErrorKind =
  /** Our view is stale (409 Conflict, a JSON Patch that does not apply): look again. */
  | 'conflict'
  /** 409 AlreadyExists. */
  | 'exists'
  /** 404, or the namespace is being deleted. */
  | 'gone'
  /** 401, 403. */
  | 'refused'
  /** The request itself is wrong: 400, 405, 413, 415, 422. */
  | 'invalid'
  /** 429. */
  | 'throttled'
  /** 5xx, or no connection. */
  | 'unavailable'
  /** No answer within the deadline. */
  | 'timeout'
  /** 410: this resource version or continue token is too old. */
  | 'expired'
  /** Not sent: leadership is not certain for long enough. */
  | 'fenced';

export interface ApiErrorFacts {
  readonly kind: ApiErrorKind;
  readonly message: string;
  /** HTTP status; absent when there was no answer. */
  readonly code?: number | undefined;
  /** `reason` of the Status object. */
  readonly reason?: string | undefined;
  /** Milliseconds the server asked us to stay away. */
  readonly retryAfter?: number | undefined;
  /** The request was sent and may have taken effect: look before acting again. */
  readonly ambiguous?: boolean;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfter: number | undefined;
  readonly ambiguous: boolean;

  constructor(facts: ApiErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = facts.kind;
    this.code = facts.code;
    this.reason = facts.reason;
    this.retryAfter = facts.retryAfter;
    this.ambiguous = facts.ambiguous ?? false;
  }

  /** The same error, seen differently by somebody who knows more: what was asked, or what an earlier try did. */
  as(change: Partial<Pick<ApiErrorFacts, 'kind' | 'ambiguous'>>): ApiError {
    const { kind, message, code, reason, retryAfter, ambiguous, cause } = this;
    return new ApiError({ kind, message, code, reason, retryAfter, ambiguous, cause, ...change });
  }
}

/** The parts of a `Status` object that tell errors apart. */
interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** The error an HTTP answer stands for. `body` is the text of the answer, normally a `Status` object. */
export function apiErrorFromAnswer(request: string, code: number, body: string, retryAfter?: number): ApiError {
  const status = parseStatus(body);
  const message = status.message ?? (body.slice(0, 200).trim() || 'no message');
  return new ApiError({
    kind: kindOf(code, status),
    message: `${request}: ${code} ${message}`,
    code,
    reason: status.reason,
    retryAfter,
    // A server that names a time to come back has not looked at the request; the others may have acted before failing.
    ambiguous: code >= 500 && retryAfter === undefined,
  });
}

function kindOf(code: number, status: StatusBody): ApiErrorKind {
  const cause = (reason: string): boolean => status.details?.causes?.some((it) => it.reason === reason) ?? false;
  switch (code) {
    case 401:
      return 'refused';
    case 403:
      return cause('NamespaceTerminating') ? 'gone' : 'refused';
    case 404:
      return 'gone';
    case 408:
    case 504:
      return 'timeout';
    case 409:
      return status.reason === 'AlreadyExists' ? 'exists' : 'conflict';
    case 410:
      return 'expired';
    case 422:
      // What a JSON Patch answers that does not apply to the object as it is now; real validation names its causes.
      return status.reason === 'Invalid' && status.details?.causes === undefined ? 'conflict' : 'invalid';
    case 429:
      return 'throttled';
    default:
      return code >= 500 ? 'unavailable' : 'invalid';
  }
}

function parseStatus(body: string): StatusBody {
  try {
    const parsed: StatusBody | null | undefined = JSON.parse(body);
    return parsed ?? {};
  } catch {
    return {};
  }
}
