// README.md names every flag and every finding, with the severity that the code gives it.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseCommandLine } from '../../taskgen/command-line.ts';
import { findingCodes } from '../../taskgen/findings.ts';

const readme = readFileSync(new URL('../../taskgen/README.md', import.meta.url), 'utf8');

describe('the README of taskgen', () => {
  it('has one row for each finding, none for any other', () => {
    const rows = [...readme.matchAll(/^\| (MPT\d{3})(\*?) +\| (\w+) +\|/gm)].map(
      ([, code, star, kind]) => `${code}${star} ${kind}`,
    );
    const expected = Object.entries(findingCodes).map(
      ([code, entry]) => `${code}${'acceptable' in entry ? '*' : ''} ${entry.severity}`,
    );
    expect(rows).to.deep.equal(expected);
  });

  it('has every flag that --help shows', () => {
    const answer = parseCommandLine(['--help']);
    const help = 'exitCode' in answer ? answer.stdout : '';
    const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)]
      .map(([, flag]) => flag)
      .filter((flag) => flag !== '--help');
    expect(flags).to.have.length.greaterThan(20);
    expect(flags.filter((flag) => !readme.includes(`\`${flag}`))).to.deep.equal([]);
  });
});
