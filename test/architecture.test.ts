// The shape of the code as a test: who may import whom, what pure folders may not touch, how large things may get.
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Folder → folders it may import, and packages. Imports inside one folder are always allowed. */
const allowed: Readonly<Record<string, { readonly from: readonly string[]; readonly packages: readonly string[] }>> = {
  'controller/model': { from: [], packages: [] },
  'controller/config': { from: ['controller/model'], packages: ['ajv', 're2js'] },
  'controller/allocation': { from: ['controller/model'], packages: [] },
  'controller/taskruns': { from: ['controller/model'], packages: [] },
  'controller/lease': { from: ['controller/model', 'controller/taskruns'], packages: [] },
  'controller/kubernetes': { from: ['controller/model'], packages: ['@kubernetes/client-node', 'undici'] },
  'controller/telemetry': {
    from: ['controller/model'],
    packages: ['winston', '@prometheus-io/client'],
  },
  'controller/reconcile': {
    from: ['model', 'config', 'allocation', 'taskruns', 'lease', 'kubernetes', 'telemetry'].map(
      (it) => `controller/${it}`,
    ),
    packages: [],
  },
  // Keys are stored in Secrets and tokens reviewed by the API server; who may read metrics is asked as the controller does.
  'controller/otp-server': {
    from: ['model', 'kubernetes', 'telemetry', 'reconcile/metrics-reviewer.ts'].map((it) => `controller/${it}`),
    packages: ['@prometheus-io/client', 'commander'],
  },
  // What a platform is, and what the Secret holds, are contracts with the controller.
  taskgen: {
    from: ['controller/model/ssh-secret.ts', 'controller/model/platform.ts'],
    packages: ['yaml', 'ajv', 'commander', 'diff'],
  },
};

const pureFolders = ['model', 'config', 'allocation', 'lease', 'taskruns'].map((it) => `controller/${it}`);
const impure = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.env\b|\bperformance\.now\b|\brandomBytes\b/;
const forbiddenNames = /^(index|utils?|helpers?|common|misc|types|constants)(\.|$)/;

/** Files over the budget of 250 lines, with the reason. */
const longFiles: Readonly<Record<string, string>> = {};

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file !== '' && !file.endsWith('package-lock.json'));
const sources = files.filter((file) => file.endsWith('.ts'));
const scripts = files.filter((file) => file.endsWith('.sh'));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const folderOf = (file: string): string | undefined =>
  Object.keys(allowed).find((folder) => dirname(file) === folder || file.startsWith(`${folder}/`));

function importsOf(file: string): string[] {
  const matches = textOf(file).matchAll(
    /^(?:import|export)\b[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...matches].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function isAllowed(file: string, imported: string): boolean {
  const folder = folderOf(file);
  const rule = folder === undefined ? undefined : allowed[folder];
  if (folder === undefined || rule === undefined || imported.startsWith('node:')) return true;
  if (!imported.startsWith('.'))
    return rule.packages.some((name) => imported === name || imported.startsWith(`${name}/`));
  const target = normalize(join(dirname(file), imported));
  return target.startsWith(`${folder}/`) || rule.from.some((from) => target === from || target.startsWith(`${from}/`));
}

describe('architecture', () => {
  it('imports go downwards only', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter((imported) => !isAllowed(file, imported))
        .map((imported) => `${file} imports ${imported}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('product code never imports tests', () => {
    const wrong = sources.filter(
      (file) =>
        !file.startsWith('test/') &&
        importsOf(file).some((imported) => normalize(join(dirname(file), imported)).startsWith('test/')),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('pure folders read no clock, no chance, no environment', () => {
    const pure = sources.filter((file) => pureFolders.some((folder) => file.startsWith(`${folder}/`)));
    expect(pure.length).to.be.greaterThan(10);
    expect(pure.filter((file) => impure.test(textOf(file)))).to.deep.equal([]);
  });

  it('no file is longer than 250 lines', () => {
    const long = [...sources, ...scripts].filter(
      (file) => longFiles[file] === undefined && textOf(file).split('\n').length - 1 > 250,
    );
    expect(long).to.deep.equal([]);
  });

  it('every source file opens by saying what it decides', () => {
    const silent = sources.filter(
      (file) => !file.endsWith('.test.ts') && !/^(#!.*\n)?(\/\/|\/\*\*)/.test(textOf(file)),
    );
    expect(silent).to.deep.equal([]);
  });

  it('files say what they are: no barrels, no drawers', () => {
    expect(files.filter((file) => forbiddenNames.test(basename(file)))).to.deep.equal([]);
    expect(
      files.filter((file) =>
        file
          .split('/')
          .slice(0, -1)
          .some((part) => forbiddenNames.test(part)),
      ),
    ).to.deep.equal([]);
  });

  it('there are no default exports', () => {
    expect(sources.filter((file) => /^export default\b/m.test(textOf(file)))).to.deep.equal([]);
  });
});
