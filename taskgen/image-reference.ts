// How a Task writes the name of the image that it builds: one parameter, or a text with several, as --image-param says it.
// It only reads and writes that notation; whether there is such an image is image-plan.ts.

/** `$(params.IMAGE)`, or the text as it was given. */
export function imageText(asked: string): string {
  return asked.includes('$(') ? asked : `$(params.${asked})`;
}

export function imageParameters(asked: string): string[] {
  const names = [...imageText(asked).matchAll(/\$\(params(?:\.([^)]+)|\[["']([^"']+)["']\])\)/g)];
  return names.flatMap(([, dotted, quoted]) => dotted ?? quoted ?? []);
}

/** Where a text has the name; with `^` and `$`, one that is nothing else. */
export function imageReference(asked: string, before = '', after = ''): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const name = literal(asked);
  const pattern = asked.includes('$(') ? name : `\\$\\(params(?:\\.${name}|\\[["']${name}["']\\])\\)`;
  return new RegExp(`${before}${pattern}${after}`);
}
