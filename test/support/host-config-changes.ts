// Writes host-config, and knows when a controller knows of it: its log says so. Watches of ConfigMaps and of TaskRuns are
// two, so that a build made right after a change could be seen before it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControllerProcess } from './controller-process.ts';
import type { Raw, Scenario } from './scenario.ts';

const configMaps = '/api/v1/namespaces/multi-platform-controller/configmaps';

export const configLabels = { 'build.appstudio.redhat.com/multi-platform-config': 'hosts' };

/** Undefined: nothing changed. */
export interface HostConfigChange {
  /** resourceVersion from now on; undefined: the controller sees none any more. */
  readonly version: number | undefined;
}

/** One PUT, as a GitOps sync makes it. */
export async function replaceHostConfig(
  scenario: Scenario,
  data: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): Promise<HostConfigChange> {
  const body = { metadata: { name: 'host-config', labels }, data };
  const replaced = await scenario.try('PUT', `${configMaps}/host-config`, body);
  const { metadata }: Raw = replaced ?? (await scenario.api.ask('POST', configMaps, body));
  return { version: labels === configLabels ? Number(metadata.resourceVersion) : undefined };
}

export async function deleteHostConfig(scenario: Scenario): Promise<HostConfigChange | undefined> {
  const deleted = await scenario.try('DELETE', `${configMaps}/host-config`);
  return deleted === undefined ? undefined : { version: undefined };
}

/** Makes the change, and waits until this controller, if there is one, knows it. */
export async function untilKnown(
  controller: ControllerProcess | undefined,
  change: () => Promise<HostConfigChange | undefined>,
): Promise<void> {
  const timesGone = controller === undefined ? 0 : countGone(controller);
  const made = await change();
  if (controller === undefined || made === undefined) return;
  const { version } = made;
  const isKnown = (): boolean =>
    version === undefined ? countGone(controller) > timesGone : lastRead(controller) >= version;
  while (!controller.ended && !isKnown()) await sleep(10);
}

function lastRead(controller: ControllerProcess): number {
  const lines = controller.log().filter(({ message }) => message === 'host-config was read');
  return Number(lines.at(-1)?.['resourceVersion'] ?? 0);
}

function countGone(controller: ControllerProcess): number {
  const gone = 'host-config is not there';
  return controller.log().filter(({ message }) => String(message).startsWith(gone)).length;
}
