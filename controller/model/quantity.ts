// Kubernetes quantities, as `500m`, `2` or `1.5Gi`: how much they are, so that two can be compared.

const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Undefined: no quantity, or none anybody would give a build. */
export function parseQuantity(text: string): number | undefined {
  const [, digits, suffix = ''] = /^(\d{1,15}(?:\.\d{1,9})?)([mkMGTP]|[KMGTP]i)?$/.exec(text) ?? [];
  const factor = factors[suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
