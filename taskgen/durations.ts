// Durations as Go reads them, and so Tekton: 90s, 1h30m, 1.5h, 500ms. What they are used for is decided elsewhere.

const seconds: Readonly<Record<string, number>> = {
  h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, 'µs': 1e-6, 'μs': 1e-6, ns: 1e-9,
}; // prettier-ignore

/** Seconds, with a fraction where there is one; undefined for what Go refuses. */
export function secondsOf(duration: string): number | undefined {
  const [, sign, amounts = ''] = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+|0)$/.exec(duration) ?? [];
  if (sign === undefined) return undefined;
  const parts = amounts.matchAll(/(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|μs|ns)/g);
  const sum = [...parts].reduce((all, [, amount, unit = '']) => all + Number(amount) * (seconds[unit] ?? 0), 0);
  return sign === '-' ? 0 - sum : sum;
}
