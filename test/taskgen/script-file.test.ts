// The file of the build step: our text, then the user's script where nothing runs it, whatever a parameter value holds.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { transfers } from '../../taskgen/options.ts';
import { combineScripts, scriptLoad } from '../../taskgen/script-file.ts';

const wrapper = '#!/usr/bin/env bash\n# three lines\nexit\n';

function userPart(combined: string): string {
  return `${combined.split('\n').slice(4, -2).join('\n')}\n`;
}

describe('the combined script', () => {
  it('holds the user script from the second line after ours to the line before the last', () => {
    const scripts = fc.string().filter((script) => !script.includes('\r'));
    const check = (script: string) => {
      const expected = script.endsWith('\n') ? script : `${script}\n`;
      expect(userPart(combineScripts(wrapper, script))).to.equal(expected);
    };
    fc.assert(fc.property(scripts, check));
  });

  it('names the delimiter after the script, so that the same source gives the same text', () => {
    expect(combineScripts(wrapper, 'echo\n')).to.equal(combineScripts(wrapper, 'echo\n'));
    expect(combineScripts(wrapper, 'echo\n')).to.match(
      /\n: <<'MP_SCRIPT_[0-9a-f]{16}'\necho\nMP_SCRIPT_[0-9a-f]{16}\n$/,
    );
  });

  it('runs nothing of a parameter value that brings the delimiter with it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'taskgen-'));
    try {
      const source = 'echo "$(params.evil)"\n';
      const combined = combineScripts(wrapper, source);
      const delimiter = /MP_SCRIPT_[0-9a-f]{16}/.exec(combined)?.[0] ?? '';
      const evil = `"\n${delimiter}\ntouch '${folder}/broken-out'\n: <<'${delimiter}'\n`;
      writeFileSync(
        join(folder, 'script'),
        combined.replace('$(params.evil)', () => evil),
      );
      execFileSync('bash', [join(folder, 'script')]);
      expect(readdirSync(folder)).to.deep.equal(['script']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the remote script', () => {
  it('says that it can do all that a flag can ask for', () => {
    const settings = new URL('../../taskgen/remote-build/10-settings.sh', import.meta.url);
    const [, known = ''] = /^readonly MP_KNOWS='([^']*)'$/m.exec(readFileSync(settings, 'utf8')) ?? [];
    const asked = [...transfers, 'registry-auth', 'append-platform', 'detached', 'timeout', 'shell'];
    expect(known.split(' ')).to.include.members(asked);
  });
});

describe('the share of a pod that scripts take', () => {
  it('is that of their base64 text, and of all of them together', () => {
    expect(Math.round(scriptLoad(['x'.repeat(49_152)]))).to.equal(50);
    expect(Math.round(scriptLoad(['x'.repeat(49_152), 'x'.repeat(49_152)]))).to.equal(100);
    expect(scriptLoad(['é'.repeat(3000)])).to.be.greaterThan(scriptLoad(['e'.repeat(3000)]));
  });
});
