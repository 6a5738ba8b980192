// `npm test`: every tier in its order, and one closing line. A tier that ran nothing, or skipped something, has failed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

interface Tier {
  readonly name: string;
  readonly command: readonly string[];
  /** A mocha run: its counts are read from what it prints. Otherwise the exit code is one test. */
  readonly mocha?: true;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A tier that hangs must not cost the whole run. */
const tierLimit = 60 * 60_000;
const root = join(import.meta.dirname, '..');
const mocha = (...files: string[]): readonly string[] => ['mocha', '--reporter', 'spec', ...files];

const tiers: readonly Tier[] = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'format', command: ['npm', 'run', '--silent', 'format'] },
  { name: 'dead code', command: ['npm', 'run', '--silent', 'deadcode'] },
  { name: 'shellcheck', command: ['npm', 'run', '--silent', 'shellcheck'] },
  { name: 'licences', command: ['npm', 'run', '--silent', 'licences'] },
  { name: 'structure', command: mocha('test/architecture.test.ts'), mocha: true },
  { name: 'unit', command: mocha('test/{controller,taskgen,deploy}/**/*.test.ts'), mocha: true },
  { name: 'tasks', command: mocha('test/tasks/**/*.test.ts'), mocha: true },
  // --exit: what a test that failed still waits for, on a server that is gone, is not waited for.
  { name: 'scenarios', command: mocha('--exit', 'test/scenarios/**/*.test.ts'), mocha: true },
  { name: 'cluster', command: mocha('--exit', 'test/cluster/**/*.test.ts'), mocha: true },
];

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !tiers.some((tier) => tier.name === name));
if (unknown.length > 0) {
  console.error(`no tier is called ${unknown.join(', ')}: choose from ${tiers.map((tier) => tier.name).join(', ')}`);
  process.exit(2);
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const summary: string[] = [];
const failures: string[] = [];
for (const tier of tiers.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  const started = Date.now();
  console.log(`\n== ${tier.name}`);
  const counts = await runTier(tier);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  summary.push(
    `${tier.name.padEnd(12)} ${String(counts.passed).padStart(5)} passed ${String(counts.failed).padStart(3)} failed ${seconds.padStart(7)} s`,
  );
}
// Once more at the end: a log of an hour is often kept, or read, from its end.
if (failures.length > 0) console.log(`\n== what failed\n${failures.join('\n')}`);
console.log(`\n${summary.join('\n')}\n\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
// Set, not called: whatever is still being printed is printed first.
process.exitCode = total.failed > 0 || total.skipped > 0 ? 1 : 0;

async function runTier(tier: Tier): Promise<Counts> {
  const { code, output } = await run(tier.command);
  const report = tier.mocha ? (/^ {2}\d+ failing\n.*/ms.exec(output)?.[0] ?? output.slice(-5000)) : output.slice(-5000);
  if (code !== 0) failures.push(`${tier.name}:\n${report.trimEnd()}\n`);
  if (!tier.mocha) return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const count = (word: string): number => Number(new RegExp(`^ {2}(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);
  const counts = { passed: count('passing'), failed: count('failing'), skipped: count('pending') };
  // Mocha itself broke, or ran nothing: that is no success.
  if (counts.failed === 0 && (code !== 0 || counts.passed === 0)) counts.failed = 1;
  return counts;
}

function run([command = '', ...args]: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const limit = setTimeout(() => child.kill('SIGTERM'), tierLimit);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk);
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code: code ?? 1, output });
    });
  });
}
