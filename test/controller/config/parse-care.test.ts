import { expect } from 'chai';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { hour, minute } from '../../../controller/model/instant.ts';
import { told } from './config-sentences.ts';

describe('host-config: care of hosts', () => {
  const rows: readonly {
    readonly it: string;
    readonly data: Readonly<Record<string, string>>;
    readonly care: readonly [number | undefined, number];
  }[] = [
    { it: 'once a day, with a quarter of an hour to drain', data: {}, care: [24 * hour, 15 * minute] },
    {
      it: 'as configured',
      data: { 'update-interval': '12h', 'drain-timeout': ' 40m ' },
      care: [12 * hour, 40 * minute],
    },
    { it: 'never', data: { 'update-interval': ' never' }, care: [undefined, 15 * minute] },
  ];
  for (const { it: sentence, data, care } of rows) {
    it(sentence, () => {
      const config = parseHostConfig(data);
      expect(config.problems).to.deep.equal([]);
      expect([config.care.updateInterval, config.care.drainTimeout]).to.deep.equal(care);
    });
  }

  it('values that cannot be read are told, and the defaults hold', () => {
    const config = parseHostConfig({ 'update-interval': 'daily', 'drain-timeout': '0' });
    expect(told(config)).to.deep.equal([
      "update-interval 'daily' is not a duration: give seconds, or a number with s, m or h, as 30m",
      "drain-timeout '0' is not a duration: give seconds, or a number with s, m or h, as 30m",
    ]);
    expect(config.care).to.deep.equal({ updateInterval: 24 * hour, drainTimeout: 15 * minute });
  });
});
