// defer-push.sh with real shells and tools that only write down how they were called. On a host it is tested by deferred-push.test.ts.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { remoteScript } from '../../taskgen/step-scripts.ts';

const deferPush = readFileSync(join(import.meta.dirname, '../../taskgen/defer-push.sh'), 'utf8');

/** What the wrapper cuts out of its own file: everything between the line that opens the here-document and the last one. */
function userPart(script: string, onHost: string): string {
  const prefix = deferPush.replace('!= /mp-job/deferred', `!= "${onHost}"`);
  const combined = remoteScript({ remote: 'exit\n', remoteAsRoot: '', deferPush: prefix }, script, {
    deferPush: true,
    hostRootful: false,
  });
  return `${combined.split('\n').slice(2, -2).join('\n')}\n`;
}

describe('a script with --defer-push', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "taskgen it's-"));
    mkdirSync(join(folder, 'bin'));
    for (const tool of ['buildah', 'skopeo']) {
      const path = join(folder, 'bin', tool);
      writeFileSync(path, `#!/bin/sh\necho "real ${tool} $*"\n`);
      chmodSync(path, 0o755);
    }
    // A push on the host waits for its end with the container.
    writeFileSync(join(folder, 'bin/sleep'), '#!/bin/sh\n', { mode: 0o755 });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** `onHost`: the folder that says that the script runs on the host, and not in the cluster. */
  function run(shell: string, script: string, words: readonly string[], env: NodeJS.ProcessEnv, onHost = '/mp-job') {
    const path = join(folder, 'script');
    writeFileSync(path, userPart(script, onHost), { mode: 0o755 });
    const PATH = `${join(folder, 'bin')}:${process.env['PATH']}`;
    return spawnSync(shell, [path, ...words], { encoding: 'utf8', env: { PATH, ...env } });
  }

  for (const shell of ['dash', 'bash']) {
    it(`runs as it is in its own pod, with any text and any arguments (${shell})`, () => {
      const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\0\r\n]/g, ''));
      const check = (comment: string, words: string[]) => {
        const script = `#!/bin/sh\n: <<'never in it'\n${comment}\nnever in it\nprintf '<%s>' "$@"\n`;
        const { stdout, stderr } = run(shell, script, words, {});
        expect(stderr).to.equal('');
        expect(stdout).to.equal(words.length === 0 ? '<>' : words.map((word) => `<${word}>`).join(''));
      };
      fc.assert(fc.property(line, fc.array(line, { maxLength: 4 }), check), { numRuns: 25 });
    });

    it(`stops at the first failure when it has no shebang, as Tekton makes it (${shell})`, () => {
      expect(run(shell, 'false\necho not reached\n', [], {})).to.include({ status: 1, stdout: '' });
    });
  }

  const inTheCluster = [
    { line: 'buildah bud -t app .', stdout: '', status: 0 },
    { line: 'buildah --storage-driver vfs build --tag push .', stdout: '', status: 0 },
    {
      line: 'buildah --storage-driver vfs push app',
      stdout: 'real buildah --storage-driver vfs push app\n',
      status: 0,
    },
    { line: 'buildah inspect build', stdout: 'real buildah inspect build\n', status: 0 },
    { line: 'buildah manifest push list', stdout: 'real buildah manifest push list\n', status: 0 },
    { line: 'skopeo copy oci:a docker://b', stdout: 'real skopeo copy oci:a docker://b\n', status: 0 },
    {
      line: 'skopeo copy containers-storage:a docker://b --digestfile /tmp/d',
      stdout: 'real skopeo copy containers-storage:a docker://b --digestfile /tmp/d\n',
      status: 0,
    },
    { line: 'buildah run app make', stdout: '', status: 1 },
    { line: 'buildah bud --iidfile id .', stdout: '', status: 1 },
  ];
  for (const { line, stdout, status } of inTheCluster) {
    it(`runs a second time without building: ${line}`, () => {
      const result = run('sh', `${line}\n`, [], { MP_IMAGE_LOADED: 'true' });
      expect({ stdout: result.stdout, status: result.status }, result.stderr).to.deep.equal({ stdout, status });
    });
  }

  const onTheHost = {
    'skopeo copy containers-storage:a docker://b --digestfile /tmp/d': false,
    'skopeo sync --src dir --dest docker a b': false,
    'skopeo sync --dest=docker --src=dir a b': false,
    'buildah push a docker://b --digestfile /tmp/d': false,
    'skopeo copy docker://a oci:b --retry-times 3': true,
    'skopeo sync --src docker --dest dir a b': true,
    'buildah push a oci:b --digestfile /tmp/d': true,
  };
  for (const [line, runs] of Object.entries(onTheHost)) {
    it(`runs up to the first push on the host: ${line}`, () => {
      const { stdout, status, stderr } = run('sh', `${line}\n`, [], {}, join(folder, 'deferred'));
      expect({ stdout, status }, stderr).to.deep.equal({ stdout: runs ? `real ${line}\n` : '', status: 0 });
    });
  }
});
