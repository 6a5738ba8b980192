// Names and values that a careless script would trip over: to the host and back, byte for byte, and nothing of them is ever run.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  exitCodeOf,
  imageConfig,
  imageOf,
  logOf,
  resultOf,
  runImage,
  sourceFolder,
  startBuild,
  untilDone,
} from './build.ts';
import { untilClean } from './cleanliness.ts';
import { installScriptTask } from './script-task.ts';
import { shared, useNamespace } from './shared-cluster.ts';

const namespace = 'odd-characters';
const platform = 'linux/amd64';

const names = [
  'two words',
  "it's",
  '"quoted"',
  'new\nline',
  ' spaces around ',
  '-rf',
  '--delete',
  'back\\slash',
  '$(touch ran-name)',
  '`touch ran-name`',
  '*',
  'übung-日本語-🦊',
  'a folder; ls/with "things"/in\nit',
];
const value = `it's "quoted" $(touch ran-value) \`touch ran-value\` \${HOME} \\ ; & | > x * 日本語\nsecond line`;

const contentOf = (name: string): string => `content of ${name}`;
const files = Object.fromEntries(names.map((name) => [name, contentOf(name)]));
const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('odd characters', function () {
  this.timeout(600_000);
  before(async () => {
    await useNamespace(namespace);
    await installScriptTask(namespace);
  });
  afterEach(() => untilClean(namespace));

  it('in file names, parameters, arguments and results travel unchanged', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'script' };
    const script = [
      'printf "%s" "$TEXT" >"$RESULT"',
      'printf "%s\\0" "$@" >arguments',
      `find . -type f ! -name script ! -name arguments -print0 >/tmp/found`,
      'while IFS= read -r -d "" file; do sha256sum <"$file" | cut -d " " -f 1 >"$file.sum"; done </tmp/found',
    ].join('\n');
    const params = { TEXT: value, LIST: [value, '', 'last one'] };
    await startBuild(cluster, { ...build, platform, files: { ...files, script }, params, task: 'script-remote' });
    const done = await untilDone(cluster, build);
    expect(exitCodeOf(done, 'build'), await logOf(cluster, build)).to.equal(0);
    expect(resultOf(done, 'SAID')).to.equal(value);
    const folder = sourceFolder(cluster, build);
    expect(readFileSync(join(folder, 'arguments'), 'utf8').split('\0')).to.deep.equal([value, '', 'last one', '']);
    for (const name of names) {
      expect(readFileSync(join(folder, name), 'utf8')).to.equal(contentOf(name));
      expect(readFileSync(join(folder, `${name}.sum`), 'utf8'), name).to.equal(`${sumOf(contentOf(name))}\n`);
    }
    const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(all.length, 'nothing else appeared').to.equal(2 * names.length + 2);
  });

  it('in the context, build arguments and labels reach the image unchanged', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'image' };
    const dockerfile = [
      `FROM ${cluster.registry.inside}/busybox:1`,
      'USER 0',
      'ARG WORD',
      'COPY . /all',
      'RUN printf %s "$WORD" > /word && rm /all/Dockerfile',
      `RUN find /all -type f -exec sh -c 'sha256sum <"$1" | cut -c 1-64' sh {} ';' | sort > /sums`,
      'CMD ["cat", "/word", "/sums"]',
    ].join('\n');
    const line = value.split('\n')[0] ?? '';
    const params = { BUILD_ARGS: [`WORD=${line}`], LABELS: [`word=${line}`], SBOM: 'none' };
    await startBuild(cluster, { ...build, platform, files: { ...files, Dockerfile: dockerfile }, params });
    const done = await untilDone(cluster, build);
    expect(exitCodeOf(done, 'build'), await logOf(cluster, build)).to.equal(0);
    const digest = resultOf(done, 'IMAGE_DIGEST') ?? '';
    const config = await imageConfig(cluster, imageOf(cluster, build), digest);
    expect(config.config.Labels.word).to.equal(line);
    const sums = names.map((name) => sumOf(contentOf(name))).sort();
    expect(await runImage(cluster, namespace, imageOf(cluster, build), digest)).to.equal(`${line}${sums.join('\n')}\n`);
  });
});
