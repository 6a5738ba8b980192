// Every folder of golden/ is a Task, flags if any, and what the generator makes of them: read `diff source expected`.
// The two scripts are stand-ins here, so that a change of theirs does not touch every file.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { parseCommandLine } from '../../taskgen/command-line.ts';
import { findingCodes, formatFinding } from '../../taskgen/findings.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';
import type { Generated } from '../../taskgen/remote-task.ts';

const root = fileURLToPath(new URL('golden', import.meta.url));
const scripts = {
  remote: '#!/usr/bin/env bash\n# remote-build.sh stands here\nexit\n',
  local: '#!/bin/sh\n# build-local.sh stands here\nafter_load_line=0\n',
  remoteAsRoot: '#!/usr/bin/env bash\n# remote-build.sh stands here, with podman as root of the host\nexit\n',
  sameStep: '#!/usr/bin/env bash\n# same-step.sh stands here\nlocal_line=0\nremote_line=0\nexit\n',
  deferPush: '#!/bin/sh\n# defer-push.sh stands here\nline=0\nexit\n',
};
const update = process.env['UPDATE_GOLDENS'] !== undefined;
const howTo = 'When the change is meant: UPDATE_GOLDENS=1 npx mocha test/taskgen/golden.test.ts, and read git diff.';

function generate(name: string): Generated & { source: string } {
  const file = existsSync(join(root, name, 'source.json')) ? 'source.json' : 'source.yaml';
  const source = readFileSync(join(root, name, file), 'utf8');
  const flags = existsSync(join(root, name, 'flags.txt')) ? readFileSync(join(root, name, 'flags.txt'), 'utf8') : '';
  const words = flags.split('\n').flatMap((line) => line.split(/ (.*)/, 2).filter((word) => word !== ''));
  const invocation = parseCommandLine([...words, file]);
  if ('exitCode' in invocation) throw new Error(invocation.stderr);
  const { afterLoad } = invocation;
  const options = {
    ...invocation.options,
    afterLoad: afterLoad === undefined ? undefined : readFileSync(join(root, name, afterLoad), 'utf8'),
  };
  // What a conversion changes everywhere is changed by hand here, for the comparison with the result.
  const inVersion = source
    .replace('tekton.dev/v1beta1', 'tekton.dev/v1')
    .replaceAll(/\bresources("?:)/g, 'computeResources$1');
  const meant = options.apiVersion === undefined ? source : inVersion;
  return { ...generateRemoteTask(source, file, scripts, options), source: meant };
}

function compare(file: string, actual: string): void {
  const path = join(root, file);
  if (update) {
    if (actual === '') rmSync(path, { force: true });
    else writeFileSync(path, actual);
    return;
  }
  const expected = existsSync(path) ? readFileSync(path, 'utf8') : '';
  expect(actual, `${file} differs. ${howTo}`).to.equal(expected);
}

describe('what the generator makes of', () => {
  for (const name of readdirSync(root).sort()) {
    it(name.replaceAll('-', ' '), () => {
      const { text, findings, source } = generate(name);
      compare(join(name, 'findings.txt'), findings.map(formatFinding).join(''));
      compare(join(name, 'expected.yaml'), text ?? '');
      expect(text === undefined).to.equal(findings.some(({ severity }) => severity === 'error'));
      if (text !== undefined) expect(unchangedParts(text)).to.deep.equal(unchangedParts(source));
    });
  }
});

describe('every finding', () => {
  /** What a registry says, and what needs large files. */
  const elsewhere = ['MPT014', 'MPT015', 'MPT018', 'MPT030', 'MPT035'];
  const shown = readdirSync(root)
    .map((name) => join(root, name, 'findings.txt'))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
  for (const code of Object.keys(findingCodes).filter((it) => !elsewhere.includes(it))) {
    it(`${code} is shown by a case, with its place, cause and remedy`, () =>
      expect(shown).to.match(new RegExp(`^\\S+:\\d+:\\d+: \\w+ ${code}: .+\\.\\n {4}fix: .+\\.$`, 'm')));
  }
});

interface Entry {
  readonly name?: string;
  readonly script?: string;
  readonly env?: readonly Entry[];
}

/** What --append-platform puts into other steps. */
function withoutPlatformInTag({ script, env, ...step }: Entry): Entry {
  const own = env?.filter(({ name }) => name?.startsWith('MP_') !== true) ?? [];
  const text = script?.replace(/^if \[ "\$MP_APPEND_PLATFORM" = true \]; then\n[^]*?^fi\n/m, '');
  return {
    ...step,
    ...(text === undefined ? {} : { script: text }),
    ...(own.length === 0 ? {} : { env: own }),
  };
}

/** All documents without what the generator may change: names, annotations, added entries, the build step and its copy. */
function unchangedParts(text: string): unknown {
  const options = { version: '1.1', merge: true } as const;
  return parseAllDocuments(text.replace(/^\ufeff/, ''), options).map((document) => {
    const { metadata, spec, ...rest }: Record<string, Record<string, Entry[]>> = document.toJS();
    if (spec === undefined) return { metadata, ...rest };
    const { params, volumes, steps, ...others } = spec;
    const added = /^(?:PLATFORM|IMAGE_APPEND_PLATFORM|REGISTRY_AUTH_SECRET|REGISTRY_PUSH_SECRET|ssh|mp-.*)$/;
    const kept = (list: Entry[] | null = []) => (list ?? []).filter(({ name }) => !added.test(name ?? ''));
    const isBuild = ({ name }: Entry) => /^(?:build|compile)/.test(name ?? '');
    return {
      rest,
      others,
      params: kept(params),
      volumes: kept(volumes),
      steps: steps?.filter((step) => !isBuild(step)).map(withoutPlatformInTag),
    };
  });
}
