// taskgen.yaml: what it may say, and the words for what it may not.

import { expect } from 'chai';
import { mapExample, parseTaskMap } from '../../taskgen/task-map.ts';

describe('taskgen.yaml', () => {
  it('lists Tasks with their outputs and flags', () => {
    expect(
      parseTaskMap('tasks:\n- source: a.yaml\n  output: b.yaml\n- {source: c, output: d, flags: [--step, 1]}\n'),
    ).to.deep.equal([
      { source: 'a.yaml', output: 'b.yaml', flags: [] },
      { source: 'c', output: 'd', flags: ['--step', '1'] },
    ]);
  });

  it('is what its own error messages show', () => expect(parseTaskMap(mapExample)).to.have.length(1));

  const refused = [
    { text: '', says: 'no list of tasks' },
    { text: 'tasks: []', says: 'no list of tasks' },
    { text: 'tasks: [a]', says: 'tasks[0] must have source and output' },
    { text: 'tasks: [{source: a}]', says: 'tasks[0].output must be a file name' },
    { text: 'tasks: [{output: a}]', says: 'tasks[0].source must be a file name' },
    { text: 'tasks: [{source: a, output: a}]', says: 'tasks[0].output is its source "a"' },
    { text: 'tasks: [{source: a, output: b, step: c}]', says: 'tasks[0].step is not known' },
    { text: 'tasks: [{source: a, output: b, flags: --step}]', says: 'tasks[0].flags must be a list' },
    { text: 'tasks: [{source: a, output: b, flags: [--check]}]', says: '"--check" belongs on the command line' },
    { text: 'tasks: [', says: 'line 1' },
  ];
  for (const { text, says } of refused) {
    it(`is refused: ${text || 'empty'}`, () => expect(() => parseTaskMap(text)).to.throw(says));
  }
});
