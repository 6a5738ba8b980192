// What the build script itself may not contain, or should not: it is read as text, never run.
// A pattern can be wrong about a script; those codes are warnings, or errors that `--accept` lifts.

import { builderImage } from './builder-image.ts';
import type { Finding, Path } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import { pushFindings } from './push-checks.ts';
import type { Pusher } from './registry-auth.ts';
import type { StepChoice } from './step-choice.ts';
import type { Step, Task } from './task-model.ts';
import { carriedScripts, firstMatch, withoutComments } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';
import { isPrintable } from './yaml-text.ts';

/** Looked for in the script without its comments, and with continued lines joined; see `withoutComments`. */
const scriptChecks: readonly TextCheck[] = [
  {
    code: 'MPT202',
    pattern: /[^\s"']*(?:\/\.docker\b|\.dockerconfigjson\b|auth\.json\b)|\bDOCKER_CONFIG\b|\bREGISTRY_AUTH_FILE\b/g,
    says: (found) => `The script uses registry credentials ("${found}"); they are not on the host.`,
    fix: 'To pull private base images say --registry-auth pull, or send a workspace with pull-only credentials by --sync NAME=in.',
  },
];

/** Where --registry-auth push says that the credential is. */
const isGiven = (found: string, pusher: Pusher) =>
  pusher === 'script' && /^(?:DOCKER_CONFIG|REGISTRY_AUTH_FILE)$/.test(found);

const leftContainer: TextCheck = {
  code: 'MPT207',
  pattern: /\b(?:buildah\s+(?:from|mount)|podman\s+(?:create|mount))\b[^\n;|&)]*/g,
  says: (found) =>
    `The script makes a container or mounts one ("${found}"); it stays on the host, so later steps find neither it nor its path.`,
  fix: 'Only the image comes back. If later steps need the container, repeat these commands in a file and say --after-load FILE; otherwise --accept MPT207.',
};

/** Looked for wherever Tekton substitutes: script, args, env and workingDir. Behind something else, /tekton/ is part of another path or a URL. */
const referenceChecks: readonly TextCheck[] = [
  {
    code: 'MPT020',
    pattern:
      /\$\((?:steps\.[^)]*\.exitCode\.path|credentials\.path)\)|(?<![\w./~*?)}\]-])\/tekton\/(?!results\b|home\/?(?![\w./-]))[\w./-]*/g,
    says: (found) => `There is no "${found}" on the host, only in the pod.`,
    fix: 'Read it in an earlier step and leave what the build needs in a workspace or a shared volume. If it is not needed on the host, say --accept MPT020.',
  },
  {
    code: 'MPT021',
    pattern: /\$\(workspaces\.[^)]*\.(?:volume|claim)\)/g,
    says: (found) =>
      `The step uses "${found}", the name of an object in the cluster; on the host there is only the path of the workspace.`,
    fix: 'Use $(workspaces.<name>.path).',
  },
];

export function scriptFindings(
  task: Task,
  choice: StepChoice,
  options: Pick<GenerateOptions, 'deferPush' | 'afterLoad'>,
  pusher: Pusher,
): Finding[] {
  const { step, index: stepIndex, wrapped } = choice;
  const { script } = step;
  if (script === undefined) {
    const run = commandOf(step, builderImage(task, choice));
    const all = `${run}\n${unpackedScripts(task, choice, run)}`;
    return pushFindings(all, ['spec', 'steps', stepIndex], options.deferPush, pusher);
  }
  const isWrapped = wrapped.length > 0;
  const at: Path = ['spec', 'steps', stepIndex, isWrapped ? 'command' : 'script'];
  const own = isWrapped ? [...wrapped, ...step.args].join(' ') : withoutComments(script);
  const carried = `${carriedScripts(script)}\n${unpackedScripts(task, choice, own)}`;
  const commands = `${own}\n${withoutComments(carried)}`;
  const findings = [
    ...pushFindings(commands, at, options.deferPush, pusher),
    ...formFindings(script, at),
    ...parameterFindings(script, at),
    ...scriptChecks.flatMap((check) => firstMatch(check, commands, at, (found) => !isGiven(found, pusher))),
    ...(options.afterLoad === undefined ? firstMatch(leftContainer, commands, at) : []),
    ...referenceFindings(step, stepIndex, own),
  ];
  // What stands in a carried script has no line of its own.
  return findings.map(({ scriptOffset, ...finding }) =>
    scriptOffset === undefined || scriptOffset >= own.length ? finding : { ...finding, scriptOffset },
  );
}

/** What earlier steps carried along and unpacked into a file that this one names, and the scripts that came with it. */
function unpackedScripts(task: Task, { index }: StepChoice, run: string): string {
  const scripts = task.steps.slice(0, index).map(({ script }) => script ?? '');
  const isNamed = (script: string) =>
    [...script.matchAll(/\bbase64 [^\n>]*>\s*["']?(\/[^\s"';]+)/g)].some(([, file]) => run.includes(String(file)));
  return scripts.filter(isNamed).map(carriedScripts).join('\n');
}

/** Of a step without a script, and of images that run one program, as far as they are known. */
function commandOf(step: Step, image: string): string {
  const entrypoint = /\bkaniko\b/.test(image) ? ['/kaniko/executor'] : [];
  return [...(step.command.length === 0 ? entrypoint : step.command), ...step.args].join(' ');
}

function formFindings(script: string, at: Path): Finding[] {
  const findings: Finding[] = [];
  if (/^\s*#!win/.test(script)) {
    findings.push({
      code: 'MPT011',
      at,
      message: 'A "#!win" script cannot run on these hosts.',
      fix: 'Use a shell script.',
    });
  }
  if (!isPrintable(script)) {
    findings.push({
      code: 'MPT012',
      at,
      message:
        'The script contains a carriage return or another control character, which would not survive or would break its shebang.',
      fix: 'Write the character as an escape that the shell understands, for example $(printf "\\033").',
    });
  }
  if (/^\s+#!/.test(script)) {
    findings.push({
      code: 'MPT204',
      at,
      message:
        'The shebang does not start at the first character, so the kernel does not see it and the script fails to start.',
      fix: 'Remove what is before "#!".',
    });
  }
  return findings;
}

function parameterFindings(script: string, at: Path): Finding[] {
  const matches = [...script.matchAll(/\$\(params[.[][^)]*\)/g)];
  const names = [...new Set(matches.map(([match]) => match))];
  if (names.length === 0) return [];
  return [
    {
      code: 'MPT201',
      at,
      message: `Values of ${names.slice(0, 4).join(', ')}${names.length > 4 ? ' and others' : ''} become part of the script: whoever sets them can run commands.`,
      fix: 'Put them in env and use the variables, quoted.',
      scriptOffset: matches[0]?.index ?? 0,
    },
  ];
}

function referenceFindings(step: Step, stepIndex: number, commands: string): Finding[] {
  const at = (key: string): Path => ['spec', 'steps', stepIndex, key];
  const places: (readonly [string, string])[] = [
    ['script', commands],
    ['args', JSON.stringify(step.own['args'] ?? [])],
    ['env', step.env.map(({ value }) => value ?? '').join('\n')],
    ['workingDir', step.workingDir],
  ];
  // A volume of the step is on the host, too, wherever it is mounted.
  const isMeant = (found: string) =>
    !step.mounts.some(({ mountPath }) => `${found}/`.startsWith(mountPath.replace(/\/*$/, '/')));
  return referenceChecks.flatMap((check) =>
    places.flatMap(([key, searched]) => firstMatch(check, searched, at(key), isMeant)),
  );
}
