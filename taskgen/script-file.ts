// The script of the generated build step: our fixed text, then the user's script behind an `exit`, never run from here.
// A parameter value can break any quoting, so nothing that runs may follow the user's script (nor stand beside it).

import { createHash } from 'node:crypto';

/** All scripts of a pod travel in one argument of an init container; the kernel takes no longer one. */
const argumentLimit = 131_071;
const overheadPerScript = 150;

/** `wrapper` knows its own length, so it finds the user's script at the second line after its end. */
export function combineScripts(wrapper: string, userScript: string): string {
  const digest = createHash('sha256').update(userScript).digest('hex').slice(0, 16);
  const delimiter = `MP_SCRIPT_${digest}`;
  return `${endWithLineFeed(wrapper)}: <<'${delimiter}'\n${endWithLineFeed(userScript)}${delimiter}\n`;
}

function endWithLineFeed(script: string): string {
  return script.endsWith('\n') ? script : `${script}\n`;
}

/** How much of that argument the scripts of a Task take, in percent; parameter values come on top when they are substituted. */
export function scriptLoad(scripts: readonly string[]): number {
  const bytes = scripts.map((script) => Math.ceil(Buffer.byteLength(script) / 3) * 4 + overheadPerScript);
  return (100 * bytes.reduce((sum, size) => sum + size, 0)) / argumentLimit;
}
