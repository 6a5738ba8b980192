// The step after the remote one: a copy of the original, for a build in the pod itself and for taking in the image.
// It keeps the original's image, mounts, environment and rights, so that versions of buildah never meet each other.

import type { YAMLMap, YAMLSeq } from 'yaml';
import { editArguments, localStepVariables, removedByWrapping, sharedMount } from './remote-step.ts';
import { resolveResources } from './resource-references.ts';
import type { StyledPlan } from './remote-step.ts';
import { applySplices, splicesWithin } from './splice.ts';
import { YamlEditor } from './yaml-editor.ts';
import { anchorRemovals, blockStart, columnAt, contentEnd, isFlow, nextLine } from './yaml-places.ts';

/** Tekton lets a step write only its own results, and empties the files of captured output when a step starts. */
const onlyOfTheOriginal = ['results', 'stdoutConfig', 'stderrConfig'];

/** Adds the copy right after the original; `editor` holds the edits of the Task, the copy has its own. */
export function addLocalStep(
  editor: YamlEditor,
  text: string,
  steps: YAMLSeq,
  map: YAMLMap,
  plan: StyledPlan,
  script: string,
): void {
  const copy = copyOfStep(text, map, plan, script);
  if (isFlow(steps)) {
    const at = contentEnd(text, map);
    editor.splices.push({ start: at, end: at, text: `, ${copy}` });
    return;
  }
  const dash = steps.srcToken?.type === 'block-seq' ? steps.srcToken.indent : 0;
  const gap = isFlow(map) ? 1 : Math.max(1, columnAt(text, blockStart(text, map)) - dash - 1);
  const after = nextLine(text, contentEnd(text, map));
  // Steps that were separated by a blank line stay so.
  const blank = /^[ \t]*\n/.exec(text.slice(after))?.[0] !== undefined ? '\n' : '';
  const item = `${' '.repeat(dash)}-${' '.repeat(gap)}${copy}`;
  editor.splices.push({
    start: after,
    end: after,
    text: `${blank}${item}${item.endsWith('\n') ? '' : '\n'}`,
    depth: dash + 0.5,
  });
}

function copyOfStep(text: string, map: YAMLMap, plan: StyledPlan, script: string): string {
  const local = new YamlEditor(text, plan.listIndent);
  local.set(map, 'name', `${plan.choice.name}-local`);
  local.remove(map, [...onlyOfTheOriginal, ...removedByWrapping(plan)]);
  local.append(map, 'env', localStepVariables(plan));
  local.append(map, 'volumeMounts', [sharedMount]);
  editArguments(local, map, plan);
  if (!plan.topology.keepsImage) resolveResources(local, map, plan, true);
  local.setScript(map, 'script', script);
  const start = blockStart(text, map);
  const end = isFlow(map) ? contentEnd(text, map) : nextLine(text, contentEnd(text, map));
  const isRewritten = (at: number) => local.splices.some((splice) => splice.start <= at && at < splice.end);
  const anchors = anchorRemovals(text).filter((anchor) => !isRewritten(anchor.start));
  return applySplices(text.slice(start, end), splicesWithin([...local.splices, ...anchors], start, end));
}
