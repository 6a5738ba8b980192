// Text edits at offsets. It knows nothing of YAML; it guarantees that whatever no edit names stays byte for byte.

export interface Splice {
  readonly start: number;
  /** Equal to `start` for an insertion. */
  readonly end: number;
  readonly text: string;
  /** Of insertions at one offset the deeper one comes first: the end of a list is also the end of the mapping around it. */
  readonly depth?: number;
}

/** Applies splices given in any order. Of insertions at one offset the deeper comes first, then the one given first. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const ordered = splices
    .map((splice, given) => ({ ...splice, given }))
    .sort((a, b) => a.start - b.start || a.end - b.end || (b.depth ?? 0) - (a.depth ?? 0) || a.given - b.given);
  let result = '';
  let position = 0;
  for (const splice of ordered) {
    if (splice.start < position || splice.end < splice.start || splice.end > text.length) {
      throw new RangeError(`splices overlap or leave the text at offset ${splice.start}`);
    }
    result += text.slice(position, splice.start) + splice.text;
    position = splice.end;
  }
  return result + text.slice(position);
}

/** The edits that fall into a range, for applying them to a copy of that range. */
export function splicesWithin(splices: readonly Splice[], start: number, end: number): Splice[] {
  return splices
    .filter((splice) => splice.start >= start && splice.end <= end)
    .map((splice) => ({ ...splice, start: splice.start - start, end: splice.end - start }));
}
