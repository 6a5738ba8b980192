// Runs all scenario tests many times, files and tests in a different order each time. A failure names the seed that
// brings its order back.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import Mocha from 'mocha';
import { seededRandom, shuffled, type Random } from '../support/random.ts';

const root = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    /** Of the first run; each further one has the next. */
    seed: { type: 'string', default: '1' },
    folder: { type: 'string', default: 'test/scenarios' },
    /** One run, in this process. */
    once: { type: 'boolean', default: false },
  },
});

if (values.once) await runOnce(Number(values.seed));
else await runMany(Number(values.times), Number(values.seed));

async function runMany(times: number, firstSeed: number): Promise<void> {
  const failed: number[] = [];
  for (let seed = firstSeed; seed < firstSeed + times; seed += 1) {
    const started = Date.now();
    // A process of its own: nothing a run leaves behind may help or harm the next one.
    const args = [import.meta.filename, '--once', `--seed=${seed}`, `--folder=${values.folder}`];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = await once(child, 'exit');
    if (code !== 0) failed.push(seed);
    console.log(`seed ${seed}: ${code === 0 ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - started) / 1000)} s`);
  }
  console.log(
    `${times - failed.length} of ${times} runs passed${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`,
  );
  process.exitCode = failed.length > 0 ? 1 : 0;
}

async function runOnce(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const mocha = new Mocha({ timeout: 60_000, reporter: 'dot', forbidOnly: true });
  const folder = join(root, values.folder);
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  for (const file of shuffled(random, files.toSorted())) mocha.addFile(join(folder, file));
  await mocha.loadFilesAsync();
  shuffleTests(random, mocha.suite);
  mocha
    // Ended here: what a test that failed still waits for is not waited for.
    .run((failures) => process.exit(failures > 0 ? 1 : 0))
    // At once: the reporter tells only when the whole run is over.
    .on('fail', (test, error) => {
      const where = relative(root, test.file ?? '');
      console.log(`\nseed ${seed}: ${where}: ${test.fullTitle()}\n${error?.stack ?? error}`);
    });
}

function shuffleTests(random: Random, suite: Mocha.Suite): void {
  suite.tests = shuffled(random, suite.tests);
  suite.suites = shuffled(random, suite.suites);
  for (const inner of suite.suites) shuffleTests(random, inner);
}
