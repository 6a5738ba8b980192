// A look at the metadata of a watch event that reads nothing else of it: most TaskRuns of a cluster are other people's,
// and reading 25 KB of each would be most of what the controller does. Finds bytes; decides nothing.
import type { KubeObject } from './cluster.ts';
import type { WatchEvent } from './watch-event.ts';

/** How the API server begins an event of an object: everything up to its metadata. */
const opening =
  /^\{"type":"(ADDED|MODIFIED|DELETED)","object":\{(?:"(?:apiVersion|kind)":"[^"\\]*",){2}"metadata":(?=\{)/;
const longestOpening = 512;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Undefined: it does not look as usual, so it has to be read in full. */
export function glance(line: Buffer): WatchEvent | undefined {
  const found = opening.exec(line.toString('latin1', 0, longestOpening));
  if (found === null) return undefined;
  const [{ length: start }, type] = found;
  const end = endOfObject(line, start);
  if (end === undefined || !isEventType(type)) return undefined;
  const metadata = parseMetadata(line.toString('utf8', start, end));
  return metadata?.resourceVersion === undefined ? undefined : { type, object: { metadata }, unmarked: true };
}

/** Where the object that begins at `start` is over. Braces inside of strings are text. */
function endOfObject(line: Buffer, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < line.length; at += 1) {
    const byte = line[at];
    if (byte === quote) {
      at = endOfString(line, at);
    } else if (byte === openBrace) {
      depth += 1;
    } else if (byte === closeBrace) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** Index of the quote that closes the string that opens at `start`. */
function endOfString(line: Buffer, start: number): number {
  let at = start + 1;
  while (at < line.length && line[at] !== quote) at += line[at] === backslash ? 2 : 1;
  return at;
}

function parseMetadata(text: string): KubeObject['metadata'] | undefined {
  try {
    const metadata: KubeObject['metadata'] = JSON.parse(text);
    return metadata;
  } catch {
    return undefined;
  }
}

function isEventType(type: string | undefined): type is 'ADDED' | 'MODIFIED' | 'DELETED' {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED';
}
