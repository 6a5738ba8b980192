// Text that somebody else wrote and that is kept: no more of it than is of use. A slice alone would keep all of it in memory,
// since it refers to the text it is a part of.

/** The first `length` characters. */
export function boundedText(text: string, length: number): string {
  return text.length <= length ? text : copyOf(text.slice(0, length));
}

/** The last `length` characters. */
export function boundedTail(text: string, length: number): string {
  return text.length <= length ? text : copyOf(text.slice(-length));
}

function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
