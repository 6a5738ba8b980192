// Log levels as people write them: ours, and the spellings of controllers that log with zap or klog.

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

const otherSpellings = new Map<string, LogLevel>([
  ['warning', 'warn'],
  ['trace', 'debug'],
  ['dpanic', 'error'],
  ['panic', 'error'],
  ['fatal', 'error'],
]);

/** The level, or undefined for a word nobody uses. Whole numbers are zap verbosity: 0 = info, 1 and more = debug. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const word = text.trim().toLowerCase();
  if (/^\d+$/.test(word)) return Number(word) === 0 ? 'info' : 'debug';
  return logLevels.find((level) => level === word) ?? otherSpellings.get(word);
}
