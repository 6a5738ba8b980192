// How often one source may come: a bucket that fills steadily and holds a burst. Remembers a bounded number of sources.
import { isIPv6 } from 'node:net';
import type { Duration } from '../model/instant.ts';
import type { Clock } from '../model/clock.ts';

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  level: number;
  filled: Duration;
}

const maxSources = 10_000;

export class RateLimit {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Pick<Clock, 'monotonic'>) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** 0: taken. Otherwise nothing was, and there is something again after so many milliseconds. */
  take(source = ''): Duration {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.monotonic();
    const { level, filled } = this.#buckets.get(source) ?? { level: burst, filled: now };
    const current = Math.min(burst, level + ((now - filled) / 1000) * perSecond);
    const left = current >= 1 ? current - 1 : current;
    // Deleted first, so that the map stays in the order of use.
    this.#buckets.delete(source);
    this.#buckets.set(source, { level: left, filled: now });
    this.#forgetOldest();
    return current >= 1 ? 0 : Math.ceil(((1 - current) / perSecond) * 1000);
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= maxSources) return;
      this.#buckets.delete(oldest);
    }
  }
}

/** Who is counted as one: an IPv4 address, or the 64 bits of an IPv6 one that a network gives to one machine. */
export function sourceOf(address: string | undefined): string {
  if (address === undefined) return '';
  const mapped = /^::ffff:(?<ipv4>\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.groups?.['ipv4'];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail = ''] = address.split('::', 2);
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [front, back] = [groups(head), groups(tail)];
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0') : [];
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}
