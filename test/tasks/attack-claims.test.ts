// controller/SECURITY.md promises nothing that no test defends: every test it names is there.
import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
const lines = readFileSync(join(repository, 'controller/SECURITY.md'), 'utf8').split('\n');
/** A line that says “the same file”. */
const fallback = 'test/scenarios/attack-facts.test.ts';

describe('controller/SECURITY.md', () => {
  const named = lines.flatMap((line) => {
    const files = Array.from(line.matchAll(/`([^`]+\.test\.ts)`/g), ([, file = '']) => file);
    const names = Array.from(line.matchAll(/“([^”]+)”/g), ([, name = '']) => name.replace(/…$/, '').trim());
    if (/the same file/.test(line)) files.push(fallback);
    return files.length + names.length === 0 ? [] : [{ files: [...new Set(files)], names }];
  });

  it('names tests', () => expect(named.length).to.be.greaterThan(15));

  for (const { files, names } of named) {
    it(`${files.join(', ')}: ${names.join(', ') || 'as a whole'}`, () => {
      for (const file of files) expect(existsSync(join(repository, file)), file).to.equal(true);
      const text = files.map((file) => readFileSync(join(repository, file), 'utf8')).join('\n');
      for (const name of names) expect(text, name).to.match(titled(name));
    });
  }
});

/** In the title of a test, or of a group of them; or a text begins so that a table makes one of. */
function titled(name: string): RegExp {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`((it|describe)\\(\\s*['"\`][^\\n]*|['"\`])${escaped}`);
}
