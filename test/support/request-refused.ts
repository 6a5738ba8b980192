// What ApiServer.ask rejects with when the API server answered, and said no.
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  /** HTTP. */
  readonly status: number;

  constructor(request: string, status: number, answer: string) {
    super(`${request}: ${status} ${answer}`);
    this.status = status;
  }
}

/** Errors of sockets have a code. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}

/** Nobody heard it, or there were too many requests. */
export function isUndone(error: unknown): boolean {
  if (error instanceof RequestRefused) return error.status === 429;
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
