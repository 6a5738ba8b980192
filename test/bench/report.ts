// From samples to figures, ratios and the sentence whether a bound is met; as a table and as JSON.
import type { Figure, Line, Samples } from './line.ts';

export interface Row {
  readonly line: string;
  readonly what: string;
  readonly reduce: Figure['reduce'];
  readonly unit: Figure['unit'];
  readonly ours: number | undefined;
  readonly other: number | undefined;
  readonly ratio: number | undefined;
  readonly bound: string;
  /** Undefined: no bound, or nothing to compare with. */
  readonly met: boolean | undefined;
}

export type SamplesByName = Readonly<Partial<Record<'ours' | 'other', readonly Samples[]>>>;

export function rowsOf({ name, figures }: Line, samples: SamplesByName): Row[] {
  return figures.map((figure) => {
    const value = (of: readonly Samples[] | undefined): number | undefined =>
      of === undefined
        ? undefined
        : reduced(
            figure.reduce,
            of.flatMap((it) => it[figure.sample] ?? []),
          );
    const ours = value(samples.ours);
    const other = value(samples.other);
    const ratio = ours === undefined || other === undefined || other === 0 ? undefined : ours / other;
    const { what, reduce, unit, bound } = figure;
    return { line: name, what, reduce, unit, ours, other, ratio, bound: textOf(bound), met: isMet(bound, ours, ratio) };
  });
}

function reduced(how: Figure['reduce'], values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((one, another) => one - another);
  switch (how) {
    case 'p50':
      return sorted[Math.ceil(sorted.length * 0.5) - 1];
    case 'p99':
      return sorted[Math.ceil(sorted.length * 0.99) - 1];
    case 'most':
      return sorted.at(-1);
    case 'sum':
    default:
      return values.reduce((sum, it) => sum + it, 0);
  }
}

function textOf(bound: Figure['bound']): string {
  if (bound === undefined) return '';
  return 'ratio' in bound ? `≤ ${bound.ratio} ×` : `≤ ${bound.most}`;
}

function isMet(bound: Figure['bound'], ours: number | undefined, ratio: number | undefined): boolean | undefined {
  if (bound === undefined || ours === undefined) return undefined;
  if ('most' in bound) return ours <= bound.most;
  return ratio === undefined ? undefined : ratio <= bound.ratio;
}

export function printed(rows: readonly Row[], compared: boolean): string {
  const lines = rows.map((row) => [
    row.reduce === 'p50' || row.reduce === 'p99' ? `${row.what} (${row.reduce})` : row.what,
    shown(row.ours, row.unit),
    ...(compared ? [shown(row.other, row.unit), row.ratio === undefined ? '' : row.ratio.toFixed(3)] : []),
    row.bound,
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
  ]);
  const titles = ['measure', 'ours', ...(compared ? ['other', 'ratio'] : []), 'bound', ''];
  const widths = titles.map((title, column) =>
    Math.max(...[titles, ...lines].map((it) => (it[column] ?? title).length)),
  );
  const padded = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [titles, ...lines].map(padded).join('\n');
}

function shown(value: number | undefined, unit: Figure['unit']): string {
  if (value === undefined) return '';
  const digits = unit === 's' ? 2 : Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${unit}`.trimEnd();
}
