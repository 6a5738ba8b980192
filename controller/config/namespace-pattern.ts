// A pattern of allowed-namespaces, in the syntax of Go (RE2), which other readers of host-config use. It takes no longer
// than the length of pattern and name allow, so none can hold up the controller.
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import type { NamespacePattern } from '../model/pool.ts';

const maxLength = 1000;
/** Namespaces whose answer is remembered: every decision asks again for every build. */
const maxRemembered = 10_000;

/** The pattern, or what is wrong with it. */
export function compilePattern(text: string): NamespacePattern | string {
  if (text.length > maxLength) return `is longer than ${maxLength} characters`;
  try {
    return remembering(RE2JS.compile(text));
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const why = error instanceof RE2JSSyntaxException ? error.getDescription() : error.message;
    return `is not a regular expression as Go knows it (${why})`;
  }
}

function remembering(pattern: NamespacePattern): NamespacePattern {
  const known = new Map<string, boolean>();
  const test = (namespace: string): boolean => {
    const found = known.get(namespace) ?? pattern.test(namespace);
    if (known.size >= maxRemembered) known.clear();
    known.set(namespace, found);
    return found;
  };
  return { test };
}
