// Loaded into a process before its program: writes how long its event loop stood still, at the end.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env['LOOP_DELAY_FILE'];
const resolution = 5;
const delays = monitorEventLoopDelay({ resolution });
delays.enable();

process.once('exit', () => {
  // What is recorded is the time between two beats.
  const over = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution);
  if (file !== undefined)
    writeFileSync(file, JSON.stringify({ p99: over(delays.percentile(99)), most: over(delays.max) }));
});
