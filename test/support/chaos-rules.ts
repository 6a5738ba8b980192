// What a chaos proxy is told to do to which request. Decides by rules only; does nothing itself.
import type { ApiPath } from './api-path.ts';

export interface PassedRequest extends ApiPath {
  readonly path: string;
  /** Order of arrival, from 1. */
  readonly number: number;
  /** Undefined while there is no answer. */
  status: number | undefined;
}

export type Mischief =
  /** Answered here, never forwarded. */
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Forwarded after a while. */
  | { readonly type: 'delay'; readonly ms: number }
  /** The connection breaks before the request is forwarded. */
  | { readonly type: 'cut' }
  /** The request takes effect, then the connection breaks without an answer. `once` is called in between. */
  | { readonly type: 'lose-answer'; readonly once?: () => void }
  /** The answer never comes and the connection stays. */
  | { readonly type: 'silence' }
  /** Every piece of the answer comes so much later, in order. */
  | { readonly type: 'lag'; readonly ms: number };

export interface Rule {
  readonly verb?: ApiPath['verb'];
  readonly resource?: string;
  readonly path?: RegExp;
  /** Default: for ever. */
  readonly times?: number;
  /** Or what decides, request by request; undefined: this rule does not apply. */
  readonly mischief: Mischief | ((request: PassedRequest) => Mischief | undefined);
}

const writes: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/** Changes something: no dry run, no question. */
export function isWrite({ verb, dryRun }: PassedRequest): boolean {
  return writes.has(verb) && !dryRun;
}

/** Creates name their object in the body only. */
export function nameIn(body: Buffer): string | undefined {
  const { metadata }: { metadata?: { name?: string } } = JSON.parse(body.toString());
  return metadata?.name;
}

export function matches(filter: { verb?: string; resource?: string; path?: RegExp }, request: PassedRequest): boolean {
  return (
    (filter.verb === undefined || filter.verb === request.verb) &&
    (filter.resource === undefined || filter.resource === request.resource) &&
    (filter.path === undefined || filter.path.test(request.path))
  );
}
