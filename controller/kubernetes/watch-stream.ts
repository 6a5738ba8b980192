// The bytes of a watch as events, one line each, in order. Parses; decides nothing about what an event means.
import { apiErrorFromAnswer } from './api-errors.ts';
import type { KubeObject } from './cluster.ts';
import type { WatchEvent } from './watch-event.ts';
import { glance } from './watch-glance.ts';

/** The server sent something that is no watch event: nothing after it can be trusted. */
export class WatchProtocolError extends Error {
  override readonly name = 'WatchProtocolError';
}

const lineFeed = 0x0a;

/**
 * An ERROR event is thrown as the ApiError it stands for. Half a line at the end is what a cut connection leaves.
 * With `marks`, only objects whose text holds one of them are read in full: on a busy cluster that is one in thousands.
 */
export async function* watchEvents(
  bytes: AsyncIterable<Uint8Array>,
  marks?: readonly string[],
): AsyncGenerator<WatchEvent, void> {
  let unfinished: Buffer[] = [];
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const rest = chunk.subarray(start, end);
      const line = unfinished.length === 0 ? rest : Buffer.concat([...unfinished, rest]);
      unfinished = [];
      start = end + 1;
      if (line.length === 0) continue;
      const isMarked = marks?.some((mark) => line.includes(mark)) ?? true;
      yield (isMarked ? undefined : glance(line)) ?? parseEvent(line.toString('utf8'));
    }
    if (start < chunk.length) unfinished.push(chunk.subarray(start));
  }
}

function parseEvent(line: string): WatchEvent {
  const event = parseLine(line);
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      if (event.object?.metadata?.resourceVersion === undefined) throw unreadable(line, 'has no resourceVersion');
      return { type: event.type, object: event.object };
    case 'ERROR':
      throw apiErrorFromAnswer('watch event', event.object?.code ?? 500, JSON.stringify(event.object));
    case undefined:
    default:
      throw unreadable(line, 'has no known type');
  }
}

interface RawEvent {
  readonly type: string | undefined;
  readonly object?: KubeObject & { readonly code?: number };
}

function parseLine(line: string): RawEvent {
  try {
    const event: RawEvent | null = JSON.parse(line);
    return event ?? { type: undefined };
  } catch {
    throw unreadable(line, 'is no JSON');
  }
}

/** Shows no more than the start: lines hold whole objects. */
function unreadable(line: string, what: string): WatchProtocolError {
  return new WatchProtocolError(`a line of the watch ${what}: ${line.slice(0, 80)}`);
}
