// `taskgen pipeline`: its command line, and all input and output of it. What the Pipeline holds is pipeline.ts's.

import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parsePlatform } from '../controller/model/platform.ts';
import { readImageParameter } from './flag-values.ts';
import { defaultOptions } from './options.ts';
import { generatePipeline } from './pipeline.ts';
import { isCurrent, mustDiffer, readSourceText, writeText } from './text-files.ts';

interface Flags {
  readonly platforms: readonly string[];
  readonly output?: string;
  readonly check: boolean;
  readonly name?: string;
  readonly select?: string;
  readonly imageParam: string;
}

/** The Task that comes with this generator. */
const ownTask = fileURLToPath(new URL('../tasks/generated/buildah-remote.yaml', import.meta.url));

const afterHelp = `
Examples:
  taskgen pipeline --platforms linux/amd64,linux/arm64                     a Pipeline for our buildah-remote
  taskgen pipeline --platforms linux/amd64,linux/s390x my-task-remote.yaml   for a Task of your own
  taskgen pipeline --platforms linux/amd64,linux/arm64 --check -o FILE     in CI: is FILE up to date?

The Task must be remote (it has a parameter PLATFORM) and have a result PLATFORM_RESULT, as buildah-remote has, or IMAGE_REF. A Task with
PLATFORM_RESULT says there what became of its platform, and it does not fail when asked by ON_ERROR=continue; so the index task can report
all platforms. With IMAGE_REF alone one failed platform ends the run without a report.

The Pipeline needs the Task and tasks/build-image-index/task.yaml in its namespace. When a platform failed, run it again with the values of
PLATFORMS and IMAGES that the index task prints: only what is missing is built.

Exit codes:
  0 done · 1 --check found a difference · 2 wrong command line · 3 the Task cannot be used
`;

export async function runPipelineCommand(words: readonly string[]): Promise<0 | 1 | 2 | 3> {
  const command = pipelineCommand();
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  const { platforms, name, select, imageParam, output, check } = command.opts<Flags>();
  const [file = ownTask] = command.args;
  if (check && output === undefined) {
    process.stderr.write('error: --check compares with a file: add -o FILE\n');
    return 2;
  }
  if (output !== undefined) mustDiffer(file, output);
  const options = { platforms, name, select, imageParameter: imageParam };
  const source =
    file === '-' ? { text: readSourceText(0), label: 'stdin' } : { text: readSourceText(file), label: file };
  const { text, problems } = generatePipeline(source.text, source.label, options);
  if (text === undefined) {
    process.stderr.write(problems.map((problem) => `error: ${problem}\n`).join(''));
    return 3;
  }
  if (output === undefined) process.stdout.write(text);
  else if (check) return (await isCurrent(output, text)) ? 0 : 1;
  else writeText(output, text);
  return 0;
}

function pipelineCommand(): Command {
  return new Command('taskgen pipeline')
    .description(
      'Writes a Pipeline that builds with a remote Task on several platforms at once and joins the images in one index.',
    )
    .argument(
      '[task]',
      'file with the remote Task, or - for standard input (default: tasks/generated/buildah-remote.yaml)',
    )
    .requiredOption('--platforms <list>', 'platforms, separated by commas: linux/amd64,linux/arm64', readPlatforms)
    .option('-o, --output <file>', 'write the Pipeline to a file instead of standard output')
    .option('--check', 'write nothing; exit 1 with a diff when the output is out of date', false)
    .option('--name <name>', 'name of the Pipeline (default: that of the Task, with -multi-platform for -remote)')
    .option('--select <name>', 'the Task to take from a file with several')
    .option(
      '--image-param <name>',
      'parameter of the Task with the tag of the image',
      readImageParameter,
      defaultOptions.imageParameter,
    )
    .helpOption('-h, --help', 'show this text')
    .addHelpText('after', afterHelp)
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .exitOverride();
}

function readPlatforms(value: string): string[] {
  const platforms = value.split(',');
  const wrong = platforms.find((it) => parsePlatform(it) === undefined);
  if (wrong !== undefined)
    throw new InvalidArgumentError(`"${wrong}" is no platform. Write them as linux/amd64,linux/arm64.`);
  const twice = platforms.find((it, index) => platforms.indexOf(it) !== index);
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" is there twice.`);
  return platforms;
}
