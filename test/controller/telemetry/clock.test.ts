import { expect } from 'chai';
import { systemClock } from '../../../controller/telemetry/clock.ts';

describe('systemClock', () => {
  it('sleeps at least as long as asked by its own monotonic time', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(20);
    // Timers count whole milliseconds.
    expect(systemClock.monotonic() - before).to.be.at.least(19);
  });

  it('ends a sleep when the signal aborts, without an error', async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(3_600_000, controller.signal);
    controller.abort();
    await sleep;
  });

  it('does not sleep at all on a signal that has aborted already', async () => {
    await systemClock.sleep(3_600_000, AbortSignal.abort());
  });

  it('tells wall time in milliseconds since 1970', () => {
    expect(new Date(systemClock.now()).getUTCFullYear()).to.be.at.least(2024);
  });
});
