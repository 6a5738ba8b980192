// The keys of host-config for the periodic care of hosts: `update-interval`, `drain-timeout`.
import type { CareSettings } from '../model/care.ts';
import { hour, minute } from '../model/instant.ts';
import { parseDuration, type Problems } from './config-values.ts';

export const careKeys = ['update-interval', 'drain-timeout'] as const;

const byDefault: CareSettings = { updateInterval: 24 * hour, drainTimeout: 15 * minute };

/** A value that cannot be read is a problem, and the default holds. */
export function parseCare(data: Readonly<Record<string, string>>, problems: Problems): CareSettings {
  const read = (key: (typeof careKeys)[number]): number | undefined => parseDuration(key, data[key], problems);
  const never = data['update-interval']?.trim() === 'never';
  return {
    updateInterval: never ? undefined : (read('update-interval') ?? byDefault.updateInterval),
    drainTimeout: read('drain-timeout') ?? byDefault.drainTimeout,
  };
}
