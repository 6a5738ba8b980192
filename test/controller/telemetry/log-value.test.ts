import { expect } from 'chai';
import { logFields, logText } from '../../../controller/telemetry/log-value.ts';

const redacted = '[redacted]';

describe('logFields', () => {
  const secretNames = [
    'token',
    'bearerToken',
    'otp-token',
    'id_rsa',
    'idRsa',
    'ID_RSA',
    'otp',
    'data',
    'stringData',
    'secretData',
    'secret-data',
    'password',
    'Authorization',
    'privateKey',
    'private_key',
    'api-key',
    'hmac',
    'key',
    'set-cookie',
  ];
  for (const name of secretNames) {
    it(`redacts a field named ${name}`, () => {
      expect(logFields({ [name]: 'x' })).to.deep.equal({ [name]: redacted });
      expect(logFields({ inner: [{ [name]: { a: 'b' } }] })).to.deep.equal({ inner: [{ [name]: redacted }] });
    });
  }

  const plainNames = ['secret', 'secretName', 'sshSecret', 'host', 'taskRun', 'keys', 'database', 'reason', 'tokens'];
  for (const name of plainNames) {
    it(`keeps a field named ${name}`, () => {
      expect(logFields({ [name]: 'x' })).to.deep.equal({ [name]: 'x' });
    });
  }

  it('spells out an error, its cause and the fields that classify it, and nothing else of it', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'ECONNREFUSED', body: 'may hold anything' });
    const error = new Error('outer', { cause });
    const logged = logFields({ error })['error'];
    expect(logged).to.include({ name: 'Error', message: 'outer' });
    expect(logged).to.have.property('stack').that.contains('log-value.test.ts');
    expect(logged).to.have.property('cause').that.includes({ name: 'TypeError', code: 'ECONNREFUSED' });
    expect(logged).not.to.have.nested.property('cause.body');
  });

  it('spells out errors that stand deep inside, and all of an AggregateError', () => {
    const error = new AggregateError([new Error('one'), new Error('two')], 'both');
    const logged = JSON.stringify(logFields({ outcome: { list: [error] } }));
    for (const message of ['both', 'one', 'two']) expect(logged).to.contain(`"message":"${message}"`);
  });

  const values: readonly (readonly [string, unknown, unknown])[] = [
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid date', new Date(Number.NaN), 'Invalid Date'],
    ['a map', new Map([['a', 1]]), { a: 1 }],
    ['a map with a secret', new Map([['token', 't']]), { token: redacted }],
    ['a set', new Set([1, 2]), [1, 2]],
    ['bytes', Buffer.from('private'), '[7 bytes]'],
    ['a bigint', 10n, '10'],
    ['not a number', Number.NaN, 'NaN'],
    ['a function', Math.max, '[function max]'],
    ['a pattern', /a+/u, '/a+/u'],
    ['null', null, null],
    ['a flag', false, false],
  ];
  for (const [title, value, expected] of values) {
    it(`shows ${title}`, () => {
      expect(logFields({ value })).to.deep.equal({ value: expected });
    });
  }

  it('stops at a circle, at a great depth and at a long list', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    let deep: unknown = 'bottom';
    for (let level = 0; level < 20; level += 1) deep = { deep };
    const logged = logFields({ circle, deep, list: Array.from({ length: 150 }, (_, index) => index) });
    expect(logged['circle']).to.deep.equal({ self: '[circular]' });
    expect(JSON.stringify(logged['deep'])).to.contain('[too deep]').and.not.contain('bottom');
    expect(logged['list']).to.have.length(101).and.include('… 50 more');
  });

  it('shows the same object twice when it is no circle', () => {
    const host = { name: 'a' };
    expect(logFields({ one: host, two: host })).to.deep.equal({ one: host, two: host });
  });

  it('survives an object that throws when it is read', () => {
    const hostile = Object.defineProperty({}, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    expect(logFields({ hostile, fine: 1 })).to.deep.equal({ hostile: '[unreadable: Error: no]', fine: 1 });
  });
});

describe('logText', () => {
  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----';
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  const rows: readonly (readonly [string, string, string])[] = [
    ['a private key', `before\n${key}\nafter`, `before\n${redacted}\nafter`],
    ['a private key that was cut off', key.slice(0, 50), redacted],
    ['a ServiceAccount token', `sent ${token} away`, `sent ${redacted} away`],
    ['a bearer header', 'Authorization: Bearer abc.def-1', `Authorization: Bearer ${redacted}`],
  ];
  for (const [title, text, expected] of rows) {
    it(`replaces ${title}`, () => {
      expect(logText(text)).to.equal(expected);
    });
  }

  it('cuts a very long text and says how long it was', () => {
    expect(logText('x'.repeat(10_000)))
      .to.have.length.below(8_300)
      .and.match(/… \(10000 characters\)$/);
  });
});
