// What the generator makes of a small Task: the findings as lines, and the steps that came of it.

import { formatFinding } from '../../taskgen/findings.ts';
import { parseCommandLine } from '../../taskgen/command-line.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';
import { readSource } from '../../taskgen/source-document.ts';
import { readTask } from '../../taskgen/task-model.ts';
import type { Task } from '../../taskgen/task-model.ts';

const scripts = {
  remote: '#!/usr/bin/env bash\nexit\n',
  remoteAsRoot: '#!/usr/bin/env bash\nexit\n',
  local: '#!/bin/sh\nafter_load_line=0\n',
  deferPush: '#!/bin/sh\nline=0\nexit\n',
  sameStep: '#!/usr/bin/env bash\nlocal_line=0\nremote_line=0\nexit\n',
};

export interface Made {
  readonly findings: readonly string[];
  readonly text: string;
  readonly task: Task;
  /** Variables of the step that goes to the host, as they stand in the new Task. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** `spec` is YAML without indentation. */
export function made(spec: string, flags: readonly string[] = []): Made {
  const source = `apiVersion: tekton.dev/v1\nkind: Task\nmetadata:\n  name: small\nspec:\n${spec.trim().replaceAll(/^(?=.)/gm, '  ')}\n`;
  const invocation = parseCommandLine([...flags, 'task.yaml']);
  if ('exitCode' in invocation) throw new Error(invocation.stderr);
  const { text = '', findings } = generateRemoteTask(source, 'task.yaml', scripts, invocation.options);
  const task = readTask(readSource(text).read[0]?.documents[0]?.content);
  const build = task.steps.find(({ name }) => name === 'build');
  const variables = Object.fromEntries((build?.env ?? []).map(({ name, value }) => [name, value]));
  return { findings: findings.map(formatFinding), text, task, variables };
}
