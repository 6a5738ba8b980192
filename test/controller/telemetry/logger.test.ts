import { expect } from 'chai';
import { Writable } from 'node:stream';
import { type LogLevel, parseLogLevel } from '../../../controller/telemetry/log-level.ts';
import { createLogger, type LogFields, type Logger } from '../../../controller/telemetry/logger.ts';

class Lines extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get parsed(): Record<string, unknown>[] {
    const lines = this.text.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const parsed: Record<string, unknown> = JSON.parse(line);
      return parsed;
    });
  }
}

function logged(level: LogLevel, write: (logger: Logger) => void): Lines {
  const lines = new Lines();
  write(createLogger({ level, output: lines }));
  return lines;
}

describe('createLogger', () => {
  it('writes one JSON object a line, with time, level and message first', () => {
    const lines = logged('info', (logger) => {
      logger.info('host assigned', { host: 'a', taskRun: 'ns/build' });
      logger.warn('two\nlines');
    });
    expect(lines.text.split('\n')).to.have.length(3);
    const [first, second] = lines.parsed;
    expect(Object.keys(first ?? {})).to.deep.equal(['timestamp', 'level', 'message', 'host', 'taskRun']);
    expect(first).to.include({ level: 'info', message: 'host assigned', host: 'a' });
    expect(new Date(String(first?.['timestamp'])).toISOString()).to.equal(first?.['timestamp']);
    expect(second).to.include({ level: 'warn', message: 'two\nlines' });
  });

  it('writes nothing raw that steers a terminal, hides text or turns it round, and loses none of it', () => {
    const hostile =
      '\u001b[2J \u0085 \u009b31m \u007f \u202egnp.exe \u2066x\u2069 \u200f \u061c \u2028{"level":"error"}\u2029';
    const lines = logged('info', (logger) => logger.info(hostile, { [hostile]: hostile }));
    expect(lines.text).to.match(/^[\u0020-\u007e]+\n$/);
    const [line] = lines.parsed;
    expect(line).to.include({ message: hostile, [hostile]: hostile });
    expect(logged('info', (logger) => logger.info('grün 構築')).text).to.contain('grün 構築');
  });

  const levels: readonly (readonly [LogLevel, readonly string[]])[] = [
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ];
  for (const [level, expected] of levels) {
    it(`at level ${level} writes ${expected.join(', ')}`, () => {
      const lines = logged(level, (logger) => {
        logger.error('e');
        logger.warn('w');
        logger.info('i');
        logger.debug('d');
      });
      expect(lines.parsed.map((line) => line['level'])).to.deep.equal(expected);
    });
  }

  it('gives the lines of a child what it was made with, and of a child of a child both', () => {
    const lines = logged('info', (logger) => {
      const lane = logger.child({ platform: 'linux/arm64', host: 'none' });
      lane.child({ taskRun: 'ns/build', host: 'a' }).info('assigned', { attempt: 1 });
      lane.info('idle');
      logger.info('root');
    });
    const [build, lane, root] = lines.parsed;
    expect(build).to.include({ platform: 'linux/arm64', taskRun: 'ns/build', host: 'a', attempt: 1 });
    expect(lane).to.include({ host: 'none' }).and.not.have.property('taskRun');
    expect(root).not.to.have.property('platform');
  });

  it('keeps its own names when a field of foreign data has the same', () => {
    const foreign: LogFields = JSON.parse('{"level":"x","timestamp":"y","message":"z"}');
    const [line] = logged('info', (logger) => logger.child(foreign).info('mine')).parsed;
    expect(line).to.include({ level: 'info', message: 'mine' });
    expect(line?.['timestamp']).not.to.equal('y');
  });

  it('spells out an error in a field, and never a secret', () => {
    const error = new Error('no route', { cause: new Error('Bearer abc123 refused') });
    const { text } = logged('info', (logger) => logger.error('failed', { error, id_rsa: 'PRIVATE' }));
    expect(text).to.contain('no route').and.contain('Bearer [redacted] refused').and.not.contain('PRIVATE');
  });
});

describe('parseLogLevel', () => {
  const rows: readonly (readonly [string, LogLevel | undefined])[] = [
    ['error', 'error'],
    ['warn', 'warn'],
    ['info', 'info'],
    ['debug', 'debug'],
    ['WARNING', 'warn'],
    [' Info ', 'info'],
    ['dpanic', 'error'],
    ['panic', 'error'],
    ['fatal', 'error'],
    ['trace', 'debug'],
    ['0', 'info'],
    ['4', 'debug'],
    ['', undefined],
    ['loud', undefined],
    ['-1', undefined],
    ['constructor', undefined],
  ];
  for (const [text, expected] of rows) {
    it(`'${text}' is ${expected ?? 'not a level'}`, () => {
      expect(parseLogLevel(text)).to.equal(expected);
    });
  }
});
