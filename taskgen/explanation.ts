// What the generator decided, for people: a table of what is sent, what comes back, what stays, and why. Text only.

import type { PlannedVariable } from './environment-plan.ts';
import { missingImage, resultImage } from './image-plan.ts';
import { podmanArguments } from './podman-arguments.ts';
import type { RemotePlan } from './remote-step.ts';
import type { LeftOut, PlannedMount } from './sync-plan.ts';
import { remoteName } from './task-name.ts';

interface Row {
  readonly what: string;
  readonly sent: string;
  readonly back: string;
  readonly why: string;
}

const travels: Readonly<Record<PlannedMount['sync'], readonly [sent: string, back: string]>> = {
  in: ['sent', '–'],
  out: ['–', 'back'],
  both: ['sent', 'back'],
  empty: ['–', '–'],
  storage: ['–', '–'],
};

export function explainPlan(plan: RemotePlan): string {
  const { task, choice, options, sync, environment } = plan;
  const rows = [
    { what: 'WHAT', sent: 'SENT', back: 'BACK', why: 'WHY' },
    ...sync.mounts.map(mountRow),
    ...sync.leftOut.map(stayingRow),
    { what: 'Task results', sent: 'sent', back: 'back', why: 'later steps and Tekton read them in the pod' },
    imageRow(plan),
    ...variableRows(environment.variables),
    ...(environment.forwardRest ? [row('variables of envFrom', 'sent', '–', 'but those that describe the pod')] : []),
    ...task.steps.flatMap((step, index) =>
      index === choice.index ? [] : [row(`step ${step.name ?? index}`, 'stays', '–', 'runs in the cluster as before')],
    ),
    localRow(plan),
  ];
  const podman = [...podmanArguments(choice.step.securityContext), ...options.podmanArguments];
  const title = `Task ${remoteName(task.name ?? '', options)}: step "${choice.name}" runs on the host, in ${choice.step.image ?? ''}\n`;
  const rights = options.hostRootful
    ? "as root of the host, by sudo, where the platform's sudo-commands allow podman\n"
    : '';
  return `${title}${rights}${podman.length === 0 ? '' : `with podman run ${podman.join(' ')}\n`}\n${table(rows)}`;
}

const row = (what: string, sent: string, back: string, why: string): Row => ({ what, sent, back, why });

function mountRow({ name, path, sync, mode, kind, bound, why }: PlannedMount): Row {
  const [sent, back] = travels[sync];
  const details = [
    ...(mode === 'ro' ? ['read-only there'] : []),
    ...(kind === 'file' ? ['one file'] : []),
    ...(bound === 'true' ? [] : ['when a TaskRun binds it']),
  ];
  return row(`${name} (${path})`, sent, back, [why, ...details].join('; '));
}

function stayingRow({ name, why }: LeftOut): Row {
  return row(name, 'stays', '–', why);
}

/** One row for all that have the same fate: steps have dozens of them. */
function variableRows(variables: readonly PlannedVariable[]): Row[] {
  const fates = new Map<string, PlannedVariable[]>();
  for (const variable of variables) {
    const fate = `${variable.isForwarded} ${variable.why}`;
    fates.set(fate, [...(fates.get(fate) ?? []), variable]);
  }
  return [...fates.values()].map((alike) => {
    const [{ isForwarded, why } = { isForwarded: false, why: '' }] = alike;
    const names = alike.map(({ name }) => name);
    const sent = isForwarded ? 'sent' : 'stays';
    if (names.length === 1) return row(`variable ${names.join()}`, sent, '–', why);
    return row(`${names.length} variables`, sent, '–', `${why}: ${names.join(', ')}`);
  });
}

function imageRow({ task, choice, options }: RemotePlan): Row {
  const image = resultImage(task, choice, options);
  if (image !== '') return row(`image ${image}`, '–', 'back', 'into the storage where later steps look for it');
  const why = options.transfer === 'none' ? '--transfer none' : (missingImage(task, choice, options)?.because ?? '');
  return row('an image', '–', '–', why);
}

function localRow({ task, choice, options, topology }: RemotePlan): Row {
  const also = options.deferPush ? '; runs the script once more, for its push' : '';
  if (!topology.hasLocalStep && !topology.isOneStep)
    return row(`step ${choice.name}-local`, '–', '–', 'not needed: --local off, and no image comes back');
  const work = [
    ...(resultImage(task, choice, options) === '' ? [] : ['takes in the image']),
    ...(topology.refusesLocal ? [] : ['builds here when PLATFORM is localhost']),
  ].join(', or ');
  const [name, how] = topology.isOneStep
    ? [`step ${choice.name}`, 'in the same step:']
    : [`step ${choice.name}-local`, 'added:'];
  return row(name, 'stays', '–', `${how} ${work}${also}`);
}

function table(rows: readonly Row[]): string {
  const width = (key: keyof Row) => Math.max(...rows.map((it) => it[key].length));
  const [what, sent, back] = [width('what'), width('sent'), width('back')];
  return rows
    .map((it) => `${it.what.padEnd(what)}  ${it.sent.padEnd(sent)}  ${it.back.padEnd(back)}  ${it.why}\n`)
    .join('');
}
