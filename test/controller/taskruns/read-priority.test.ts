import { expect } from 'chai';
import { annotations } from '../../../controller/model/labels.ts';
import { aTaskRun } from '../../support/builders.ts';

function read(given: unknown): readonly [number, string | undefined] {
  const build = aTaskRun()
    .with(({ metadata }) => (metadata['annotations'] = { [annotations.priority]: given }))
    .build();
  return [build.priority, build.unreadablePriority];
}

describe('the priority a build gives itself', () => {
  const integers: readonly (readonly [string, number])[] = [
    ['10', 10],
    ['-5', -5],
    ['+7', 7],
    [' 3\n', 3],
    ['-0', 0],
    ['007', 7],
    ['999999999', 999_999_999],
  ];
  for (const [given, priority] of integers) {
    it(`${JSON.stringify(given)} is ${priority}`, () => expect(read(given)).to.deep.equal([priority, undefined]));
  }

  for (const given of ['', 'high', '1.5', '1e3', '0x10', '1 2', '9999999999', 'NaN']) {
    it(`${JSON.stringify(given)} counts as 0, and is known to be no integer`, () => {
      expect(read(given)).to.deep.equal([0, given]);
    });
  }

  it('of a long one the beginning is kept', () => {
    expect(read('x'.repeat(100_000))).to.deep.equal([0, 'x'.repeat(32)]);
  });

  it('none is 0', () => {
    expect(read(undefined)).to.deep.equal([0, undefined]);
    expect(read(7)).to.deep.equal([0, undefined]);
  });
});
