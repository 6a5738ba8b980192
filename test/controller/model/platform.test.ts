import { expect } from 'chai';
import * as fc from 'fast-check';
import { dashedPlatform, parsePlatform, rawPlatform } from '../../../controller/model/platform.ts';

const long = 'a'.repeat(63);

describe('parsePlatform', () => {
  const wellFormed = [
    'linux/arm64',
    'linux-mlarge/arm64',
    'linux/s390x',
    'linux/ppc64le',
    'windows/amd64',
    'a/b',
    'linux-d160-m2xlarge/arm64',
    `${long}/${long}`,
    'local',
    'localhost',
    'linux/x86_64',
  ];
  for (const value of wellFormed) it(`takes ${value}`, () => expect(parsePlatform(value)).to.equal(value));

  const malformed: readonly (readonly [string, string])[] = [
    ['', 'is empty'],
    ['linux', 'has one part'],
    ['linux/arm64/v8', 'has three parts'],
    ['linux/', 'has an empty part'],
    ['/arm64', 'has an empty part'],
    ['linux/386', 'has a part that begins with a digit'],
    ['linux/AMD64', 'has capitals'],
    ['linux/amd_64', 'has an underscore'],
    ['linux-mlarge/x86_64', 'is exempt only as linux/x86_64'],
    ['-linux/arm64', 'has a part that begins with a dash'],
    ['linux-/arm64', 'has a part that ends with a dash'],
    ['linux/arm.64', 'has a dot'],
    [' linux/arm64', 'has a space'],
    ['linux/arm64\n', 'has a line feed'],
    [`${long}a/arm64`, 'has a part of 64 characters'],
    ['linux/arm64;reboot', 'carries a shell command'],
    ['LOCAL', 'is not local'],
  ];
  for (const [value, why] of malformed) {
    it(`refuses ${JSON.stringify(value)}: it ${why}`, () => expect(parsePlatform(value)).to.equal(undefined));
  }

  it('takes nothing a shell, a label or a sudoers file could misread', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20, unit: 'binary' }), (value) => {
        const parsed = parsePlatform(value);
        expect(parsed === undefined || /^[a-z0-9_/-]+$/.test(parsed)).to.equal(true);
      }),
    );
  });
});

describe('forms of a platform', () => {
  const forms: readonly (readonly [string, string, string])[] = [
    ['linux/arm64', 'linux-arm64', 'linux-arm64'],
    ['linux-mlarge/arm64', 'linux-mlarge-arm64', 'linux-arm64'],
    ['linux-d160-m2xlarge/amd64', 'linux-d160-m2xlarge-amd64', 'linux-amd64'],
    ['local', 'local', 'local'],
    ['linux/x86_64', 'linux-x86_64', 'linux-x86_64'],
  ];
  for (const [value, dashed, raw] of forms) {
    it(`${value} is ${dashed} as a label and ${raw} as RAW_PLATFORM`, () => {
      expect([dashedPlatform(value), rawPlatform(value)]).to.deep.equal([dashed, raw]);
    });
  }
});
