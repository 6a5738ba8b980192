import { expect } from 'chai';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { noLimits, type PoolLimits } from '../../../controller/model/pool.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { staticPool, told } from './config-sentences.ts';

const limitsWith = (more: Readonly<Record<string, string>>): PoolLimits =>
  staticPool(parseHostConfig(hostConfigData({ a: 1 }, more))).limits;

describe('host-config: rules of a platform', () => {
  it('none are set', () => expect(limitsWith({})).to.deep.equal(noLimits));

  const rules: readonly (readonly [string, string, keyof PoolLimits, unknown])[] = [
    ['priority', 'true', 'priority', true],
    ['priority', 'false', 'priority', false],
    ['fair-share', ' true\n', 'fairShare', true],
    ['max-per-namespace', '12', 'maxPerNamespace', 12],
    ['release-slot-after', 'cleanup', 'releaseSlotAfter', 'cleanup'],
    ['release-slot-after', 'build', 'releaseSlotAfter', 'build'],
    ['max-wait', '5m', 'maxWait', 300_000],
  ];
  for (const [key, value, limit, expected] of rules) {
    it(`${key}: ${value.trim()}, for all platforms and for one`, () => {
      expect(limitsWith({ [key]: value })[limit]).to.equal(expected);
      expect(limitsWith({ [`linux-arm64.${key}`]: value })[limit]).to.equal(expected);
      expect(limitsWith({ [`linux-s390x.${key}`]: value })[limit]).to.equal(noLimits[limit]);
    });
  }

  it("a platform's own value wins, also one that switches something off", () => {
    expect(limitsWith({ 'fair-share': 'true', 'linux-arm64.fair-share': 'false' }).fairShare).to.equal(false);
    expect(limitsWith({ 'max-per-namespace': '1', 'linux-arm64.max-per-namespace': '5' }).maxPerNamespace).to.equal(5);
  });

  it('an unreadable own value is told, and the general one holds', () => {
    const data = hostConfigData({ a: 1 }, { 'max-per-namespace': '3', 'linux-arm64.max-per-namespace': 'many' });
    const config = parseHostConfig(data);
    expect(told(config)).to.deep.equal(["linux-arm64.max-per-namespace 'many' is not valid: give a number, 1 or more"]);
    expect(staticPool(config).limits.maxPerNamespace).to.equal(3);
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ['priority', 'yes', "priority 'yes' is not valid: give true or false"],
    ['fair-share', 'TRUE', "fair-share 'TRUE' is not valid: give true or false"],
    ['max-per-namespace', '0', "max-per-namespace '0' is not valid: give a number, 1 or more"],
    ['release-slot-after', 'clean', "release-slot-after 'clean' is not valid: give build or cleanup"],
  ];
  for (const [key, value, message] of refused) {
    it(`${key} '${value}' is told, and the platform works without it`, () => {
      const config = parseHostConfig(hostConfigData({ a: 1 }, { [key]: value }));
      expect(told(config)).to.deep.equal([message]);
      expect(staticPool(config).limits).to.deep.equal(noLimits);
    });
  }

  it('an empty value is as good as none', () => {
    const keys = ['priority', 'fair-share', 'max-per-namespace', 'release-slot-after', 'max-wait'];
    const config = parseHostConfig(hostConfigData({ a: 1 }, Object.fromEntries(keys.map((key) => [key, ' \r\n']))));
    expect([config.problems, staticPool(config).limits]).to.deep.equal([[], noLimits]);
  });

  it('a key of a platform that is not configured is a warning', () => {
    const config = parseHostConfig(hostConfigData({ a: 1 }, { 'linux-s390x.fair-share': 'true' }));
    expect(told(config, 'warning')).to.deep.equal([
      'linux-s390x.fair-share is not a key of host-config and is ignored',
    ]);
  });
});
