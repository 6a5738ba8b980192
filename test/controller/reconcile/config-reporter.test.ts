import { expect } from 'chai';
import { Writable } from 'node:stream';
import type { ConfigProblem } from '../../../controller/config/host-config.ts';
import { ConfigReporter } from '../../../controller/reconcile/config-reporter.ts';
import { EventRecorder } from '../../../controller/reconcile/event-recorder.ts';
import { second } from '../../../controller/model/instant.ts';
import { createLogger } from '../../../controller/telemetry/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const about = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'operators', name: 'host-config', uid: 'config' };
const wrong: ConfigProblem = { key: 'host.a.user', message: 'is missing: give it', severity: 'warning' };
const broken: ConfigProblem = { key: 'max-wait', message: "'soon' is not a duration", severity: 'error' };

class Stand {
  readonly clock = new ManualClock();
  readonly cluster = new MemoryCluster(this.clock);
  readonly lines: { level: string; message: string; entry?: string }[] = [];
  readonly reporter: ConfigReporter;

  constructor() {
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        for (const line of String(chunk).trim().split('\n')) this.lines.push(JSON.parse(line));
        done();
      },
    });
    const events = new EventRecorder(this.cluster, this.clock, (error) => {
      throw error;
    });
    this.reporter = new ConfigReporter(createLogger({ level: 'info', output }), events);
  }

  async events(): Promise<string[]> {
    await this.clock.advance(second);
    const found = this.cluster.all('events').map((event): Record<string, unknown> => ({ ...event }));
    for (const event of found) expect(event['involvedObject']).to.deep.equal(about);
    return found.map(({ type, reason, message }) => `${String(type)} ${String(reason)}: ${String(message)}`);
  }
}

describe('what is wrong with host-config is told', () => {
  it('in the log, each problem on a line, errors as errors', () => {
    const stand = new Stand();
    stand.reporter.note(about, [wrong, broken]);
    expect(stand.lines.map(({ level, message }) => `${level} ${message}`)).to.deep.equal([
      'warn host-config: host.a.user is missing: give it',
      "error host-config: max-wait 'soon' is not a duration",
    ]);
    expect(stand.lines.map(({ entry }) => entry)).to.deep.equal(['host.a.user', 'max-wait']);
  });

  it('once: the same config read again is no news', async () => {
    const stand = new Stand();
    stand.reporter.start();
    for (let nth = 0; nth < 3; nth += 1) stand.reporter.note(about, [broken]);
    expect(stand.lines).to.have.length(1);
    expect(await stand.events()).to.have.length(1);
  });

  it('as one Event on the ConfigMap, errors first', async () => {
    const stand = new Stand();
    stand.reporter.start();
    stand.reporter.note(about, [wrong, broken]);
    expect(await stand.events()).to.deep.equal([
      "Warning HostConfigInvalid: 1 error, 1 warning: max-wait 'soon' is not a duration; host.a.user is missing: give it",
    ]);
  });

  it('as an Event only by the process that acts, from when it does', async () => {
    const stand = new Stand();
    stand.reporter.note(about, [broken]);
    expect(await stand.events()).to.deep.equal([]);
    stand.reporter.start();
    expect(await stand.events()).to.have.length(1);
  });

  it('when it is mended, and when it comes back', async () => {
    const stand = new Stand();
    stand.reporter.start();
    for (const problems of [[broken], [], [broken]]) stand.reporter.note(about, problems);
    expect((await stand.events()).map((it) => it.split(':')[0])).to.deep.equal([
      'Warning HostConfigInvalid',
      'Normal HostConfigValid',
      'Warning HostConfigInvalid',
    ]);
    expect(stand.lines.map(({ message }) => message)).to.include('host-config: no problems any more');
  });

  it('not when nothing is wrong', async () => {
    const stand = new Stand();
    stand.reporter.start();
    stand.reporter.note(about, []);
    expect([await stand.events(), stand.lines]).to.deep.equal([[], []]);
  });

  it('of many, fifty lines', () => {
    const stand = new Stand();
    stand.reporter.note(
      about,
      Array.from({ length: 500 }, (_, nth) => ({ ...broken, key: `key-${nth}` })),
    );
    expect(stand.lines).to.have.length(51);
    expect(stand.lines.at(-1)?.message).to.equal('host-config: and 450 more problems');
  });
});
