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
