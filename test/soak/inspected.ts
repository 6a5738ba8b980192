// The heap of another Node process, by its inspector: what is alive after a collection, and of which kinds.

export interface HeapKind {
  readonly count: number;
  readonly bytes: number;
}

export interface Heap {
  readonly usedBytes: number;
  /** Resident memory of the whole process. */
  readonly rssBytes: number;
  readonly kinds: ReadonlyMap<string, HeapKind>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly chunk?: string };
  readonly result?: { readonly result?: { readonly value?: string } };
}

/** The parts of a heap snapshot that say what there is. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[]] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

export async function readHeap(inspectorPort: number): Promise<Heap> {
  const answer = await fetch(`http://127.0.0.1:${inspectorPort}/json`);
  const targets: { webSocketDebuggerUrl: string }[] = JSON.parse(await answer.text());
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  const chunks: string[] = [];
  const waiting = new Map<number, (message: Message) => void>();
  socket.addEventListener('message', ({ data }) => {
    const message: Message = JSON.parse(String(data));
    if (message.method === 'HeapProfiler.addHeapSnapshotChunk') chunks.push(message.params?.chunk ?? '');
    else if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  let sent = 0;
  const ask = (method: string, params: object = {}): Promise<Message> => {
    sent += 1;
    const id = sent;
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => waiting.set(id, resolve));
  };
  await ask('HeapProfiler.enable');
  await ask('HeapProfiler.collectGarbage');
  const expression = 'JSON.stringify(process.memoryUsage())';
  const evaluated = await ask('Runtime.evaluate', { expression });
  const memory: { heapUsed: number; rss: number } = JSON.parse(evaluated.result?.result?.value ?? '{}');
  await ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  socket.close();
  return { usedBytes: memory.heapUsed, rssBytes: memory.rss, kinds: countKinds(JSON.parse(chunks.join(''))) };
}

function countKinds({ snapshot, nodes, strings }: Snapshot): Map<string, HeapKind> {
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [typeAt, nameAt, sizeAt] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field));
  const kinds = new Map<string, HeapKind>();
  for (let start = 0; start < nodes.length; start += fields.length) {
    const type = types[0][nodes[start + (typeAt ?? 0)] ?? 0] ?? '';
    // Of strings and code the kind is enough: their names are what they say.
    const name = type === 'object' || type === 'closure' ? ` ${strings[nodes[start + (nameAt ?? 0)] ?? 0]}` : '';
    const { count, bytes } = kinds.get(type + name) ?? { count: 0, bytes: 0 };
    kinds.set(type + name, { count: count + 1, bytes: bytes + (nodes[start + (sizeAt ?? 0)] ?? 0) });
  }
  return kinds;
}
