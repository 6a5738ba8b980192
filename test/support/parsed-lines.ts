// JSON lines out of a stream of bytes, each as soon as it is whole.

// oxlint-disable-next-line typescript/no-explicit-any
export async function* parsedLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<any> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}
