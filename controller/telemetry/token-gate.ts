// May the bearer of this token read the metrics? Asks the API server through the caller and remembers the answer for a
// short time, so that neither a scraper nor a guesser turns into a stream of API requests.
import { createHash } from 'node:crypto';
import type { Clock } from '../model/clock.ts';

/** Who a token belongs to, as TokenReview answers; what SubjectAccessReview wants to know. */
export interface TokenUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface Reviewer {
  /** TokenReview: undefined when nobody's. Rejects when the API server cannot be asked. */
  readonly authenticate: (token: string) => Promise<TokenUser | undefined>;
  /** SubjectAccessReview: verb `get` on the non-resource URL `/metrics`. */
  readonly authorize: (user: TokenUser) => Promise<boolean>;
}

export type Verdict = 'allowed' | 'unauthenticated' | 'forbidden' | 'busy';

const keepAllowed = 30_000;
const keepRefused = 5_000;
const maxRemembered = 256;
const maxReviews = 4;

interface Remembered {
  readonly verdict: Promise<Verdict>;
  until: number;
}

export class TokenGate {
  readonly #reviewer: Reviewer;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #known = new Map<string, Remembered>();
  #reviews = 0;

  constructor(reviewer: Reviewer, clock: Pick<Clock, 'monotonic'>) {
    this.#reviewer = reviewer;
    this.#clock = clock;
  }

  /** Rejects when the API server cannot be asked; that is not remembered. */
  async check(authorization: string | undefined): Promise<Verdict> {
    const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'unauthenticated';
    // The digest, so that no token lies around in memory longer than its request.
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(digest);
    if (known !== undefined && this.#clock.monotonic() < known.until) return known.verdict;
    if (this.#reviews >= maxReviews) return 'busy';
    return this.#remember(digest, this.#review(token));
  }

  async #remember(digest: string, verdict: Promise<Verdict>): Promise<Verdict> {
    // Several requests with one token share the review that is under way.
    const entry: Remembered = { verdict, until: Number.POSITIVE_INFINITY };
    this.#known.delete(digest);
    this.#known.set(digest, entry);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxRemembered) break;
      this.#known.delete(oldest);
    }
    try {
      const answer = await verdict;
      entry.until = this.#clock.monotonic() + (answer === 'allowed' ? keepAllowed : keepRefused);
      return answer;
    } catch (error) {
      if (this.#known.get(digest) === entry) this.#known.delete(digest);
      throw error;
    }
  }

  async #review(token: string): Promise<Verdict> {
    this.#reviews += 1;
    try {
      const user = await this.#reviewer.authenticate(token);
      if (user === undefined) return 'unauthenticated';
      return (await this.#reviewer.authorize(user)) ? 'allowed' : 'forbidden';
    } finally {
      this.#reviews -= 1;
    }
  }
}
