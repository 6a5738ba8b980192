// The documents of a file as text, cut before anything is parsed: only those that may hold a Task need a parser.
// In YAML no scalar can contain a line that begins with three dashes, so cutting there is exact.

export interface Section {
  /** Where it begins in the file. */
  readonly start: number;
  readonly text: string;
}

export function sectionsOf(text: string): Section[] {
  // A directive belongs to the document after it, and changes how that is read: such a file stays in one piece.
  if (/^%/m.test(text)) return [{ start: 0, text }];
  const starts = [0, ...[...text.matchAll(/^---(?=\s)/gm)].map(({ index }) => index)];
  return starts
    .map((start, index) => ({ start, text: text.slice(start, starts[index + 1]) }))
    .filter((section) => section.start > 0 || section.text !== '');
}

/** Whether reading it could show a Task, or what people give in place of one; so does a kind that only a parser can read. */
export function mayHoldTask(section: Section): boolean {
  const { text } = section;
  return (
    kindSeenIn(section) === '' || /\bkind["']?\s*:\s*(?:[&!]\S*\s+)*(?:["']?(?:ClusterTask|Task|List)\b|\*)/.test(text)
  );
}

/** The kind of a document that was not parsed, for messages. */
export function kindSeenIn({ text }: Section): string {
  return /^kind:[ \t]+["']?(\w+)/m.exec(text)?.[1] ?? /"kind"\s*:\s*"(\w+)"/.exec(text)?.[1] ?? '';
}
