// What nobody keeps costs nothing: 10,000 TaskRuns of 25 KB pass through a streaming list and leave no memory behind.
import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { WatchSender } from '../../../controller/kubernetes/reflector.ts';
import { projectByLabel, reflect } from './reflected.ts';

const foreign = 10_000;
const mebibyte = 1024 * 1024;

function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

/** A streaming list as the API server sends it, in pieces that do not care about lines. */
async function* streamingList(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const status = { taskSpec: { steps: [{ script: 'x'.repeat(24_000) }] } };
  for (let nth = 0; nth < foreign; nth += 1) {
    const labels = nth === 4711 ? { value: 'ours' } : { other: 'theirs' };
    const metadata = { uid: `uid-${nth}`, namespace: 'x', name: `run-${nth}`, resourceVersion: `${nth}`, labels };
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { metadata, spec: {}, status } })}\n`);
    yield line.subarray(0, 10_001);
    yield line.subarray(10_001);
  }
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const metadata = { resourceVersion: `${foreign}`, annotations };
  yield Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

describe('reflector with 10,000 foreign TaskRuns', function () {
  this.timeout(60_000);

  it('keeps the one that is of interest, and less than 200 bytes for each of the others', async () => {
    const sender: WatchSender = {
      request: async () => Promise.reject(new Error('nothing but the watch is needed')),
      stream: (_request, signal) => streamingList(signal),
    };
    const before = usedHeap();
    const reflected = reflect(sender, { project: projectByLabel });
    await reflected.reflector.untilSynced();
    const after = usedHeap();
    expect(reflected.values()).to.deep.equal({ 'run-4711': 'ours' });
    expect(after - before).to.be.below(2 * mebibyte);
    await reflected.stop();
  });
});
