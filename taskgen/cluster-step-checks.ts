// What the steps that stay in the cluster do, where the answer depends on the platform: theirs is the cluster's own.
// Their text is read, never run. A pattern can be wrong about it, so all of this is warnings.

import { imageVariables } from './append-platform.ts';
import type { Finding, Path } from './findings.ts';
import { imageReference } from './image-reference.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import type { Step, Task } from './task-model.ts';
import { firstMatch, withoutComments } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

/** Where a command begins: of a package or in a sentence the same words mean nothing. */
const begin = String.raw`(?<=(?:^|[;&|({]|\s-c\s+["']|\b(?:then|do|else|sudo|time|exec)\s)\s*(?:\w+=\S*\s+)*)`;
const rest = String.raw`(?:\$\([^)\n]{0,99}\)|[^\n;&|)])*`;
const compilers =
  'go\\s+(?:build|install)|cargo\\s+(?:build|install)|gcc|g\\+\\+|clang|clang\\+\\+|rustc|cmake\\s+--build|ninja|bazel(?:isk)?\\s+build|meson\\s+compile|swift\\s+build|native-image';
/** make may be told to do anything. */
const make = String.raw`make(?:\s+(?:-C\s+\S+|-\S+|\w+=\S*|clean|all|build|compile|install))*(?=\s*(?:$|[;&|)"']))`;
const compiling = new RegExp(`${begin}(?:(?:${compilers})(?![^\\s;&|)])${rest}|${make})`, 'gm');
/** A script that knows of other platforms makes its own choice. */
const crossCompiling = /GOARCH|TARGETARCH|PLATFORM|CARGO_BUILD_TARGET|--(?:target|platforms?|arch)[= ]/;
const imageBuilders =
  'buildah\\b[^\\n;&|]*?\\s(?:bud|build|build-using-dockerfile)|podman\\s+build|docker\\s+(?:buildx\\s+)?build|/kaniko/executor';
const buildingImages = new RegExp(`${begin}(?:${imageBuilders})\\s${rest}`, 'gm');
const running = /\b(?:(?:podman|docker|nerdctl)\s+run|buildah\s+run)\s[^\n;&|]*/g;

export function clusterStepFindings(
  task: Task,
  choice: StepChoice,
  options: Pick<GenerateOptions, 'imageParameter'>,
): Finding[] {
  return task.steps.flatMap((step, index) => {
    if (index === choice.index) return [];
    const text = step.script === undefined ? [...step.command, ...step.args].join(' ') : withoutComments(step.script);
    const at: Path = ['spec', 'steps', index, ...(step.script === undefined ? [] : ['script'])];
    const label = `Step "${step.name ?? index}" stays in the cluster`;
    const knowsPlatforms = crossCompiling.test(text);
    const isEarlier = index < choice.index;
    return [
      ...(knowsPlatforms ? [] : firstMatch(builds(label, choice.name, buildingImages), text, at)),
      ...(knowsPlatforms || !isEarlier
        ? []
        : firstMatch(builds(label, choice.name, compiling), text, at, isCompilation)),
      ...(isEarlier ? [] : firstMatch(runs(label, choice.name), text, at, runsImage(step, options))),
    ];
  });
}

function builds(label: string, chosen: string, pattern: RegExp): TextCheck {
  return {
    code: 'MPT209',
    pattern,
    says: (found) => `${label} and builds there ("${found}"): what it makes is for the cluster's own platform.`,
    fix: `Move that into step "${chosen}", or let it build for $(params.PLATFORM); if it does not depend on the platform, say --accept MPT209.`,
  };
}

function runs(label: string, chosen: string): TextCheck {
  return {
    code: 'MPT210',
    pattern: running,
    says: (found) => `${label} and runs the image there ("${found}"), which is for the platform that was asked for.`,
    fix: `Run it in step "${chosen}", on the host; if every node can run it, say --accept MPT210.`,
  };
}

/** Not a tool of a given version, which the step itself uses; not a question for the compiler's version. */
function isCompilation(found: string): boolean {
  return !/^go\s+install\s.*@|\s--version\b|\s-v$/.test(found);
}

/** buildah runs what is in a container of its own, which comes of the image; the others name an image, and it may be another one. */
function runsImage(step: Step, options: Pick<GenerateOptions, 'imageParameter'>): (found: string) => boolean {
  const names = [imageReference(options.imageParameter).source];
  for (const variable of imageVariables(step, options)) names.push(`\\$\\{?${variable}\\b`);
  const image = new RegExp(names.join('|'));
  const otherImage = /\s["']?[a-z0-9][\w.-]*(?::\d+)?\/[\w./-]/;
  return (found) => {
    const { index } = image.exec(found) ?? { index: -1 };
    return found.startsWith('buildah') || (index >= 0 && !otherImage.test(found.slice(0, index)));
  };
}
