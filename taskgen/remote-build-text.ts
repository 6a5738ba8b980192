// The text of the remote script, from its parts in remote-build/: one after the other, in the order of their names.
// Leaves out what a machine does not read, since all scripts of a pod share 128 KiB; changes nothing that runs.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Podman as root of the host is in this part, which other Tasks do not carry. */
const partForRoot = '58-as-root.sh';

/** The script knows the line its user's script begins on: after its own last line comes the one that opens the here-document. */
export function remoteBuildText(folder: string, { asRoot = false } = {}): string {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sh') && (asRoot || name !== partForRoot));
  const parts = names.sort().map((name) => readFileSync(join(folder, name), 'utf8'));
  const lines = parts.flatMap((part, index) => withoutComments(part, index === 0));
  const scriptLine = String(lines.length + 2);
  return `${lines.join('\n')}\n`.replace('MP_SCRIPT_LINE=0', () => `MP_SCRIPT_LINE=${scriptLine}`);
}

/** The opening comment of the first part stays, for whoever reads a generated Task. No line of a here-document in the parts begins with #. */
function withoutComments(part: string, keepOpening: boolean): string[] {
  const lines = part.split('\n');
  const opening = keepOpening ? lines.findIndex((line) => !line.startsWith('#')) : 0;
  const rest = lines.slice(opening).filter((line) => !/^\s*(#|$)/.test(line));
  return [...lines.slice(0, opening).filter((line) => !line.startsWith('# shellcheck')), ...rest];
}
