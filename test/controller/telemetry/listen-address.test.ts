import { expect } from 'chai';
import { parseListenAddress } from '../../../controller/telemetry/listen-address.ts';

describe('parseListenAddress', () => {
  const rows: readonly (readonly [string, { host: string | undefined; port: number } | undefined])[] = [
    [':8081', { host: undefined, port: 8081 }],
    [':0', { host: undefined, port: 0 }],
    ['127.0.0.1:8443', { host: '127.0.0.1', port: 8443 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['0', undefined],
  ];
  for (const [value, expected] of rows) {
    it(`reads '${value}' as ${expected === undefined ? 'switched off' : JSON.stringify(expected)}`, () => {
      expect(parseListenAddress('--metrics-bind-address', value)).to.deep.equal(expected);
    });
  }

  for (const value of ['', '8081', ':65536', ':x', '::1:8081', 'a b:1', 'http://x:1', '127.0.0.1:', ':-1']) {
    it(`refuses '${value}', naming the flag and the value`, () => {
      expect(() => parseListenAddress('--metrics-bind-address', value)).to.throw(
        `--metrics-bind-address: '${value}' is not an address; write ':8081'`,
      );
    });
  }
});
