// The log: one JSON object a line on stdout. One root per run, children carry what their lines have in common.
// Decides what a line looks like, never what is worth saying.
import { createLogger as createWinston, format, type Logger as Winston, transports } from 'winston';
import { logFields, logText } from './log-value.ts';
import { type LogLevel, logLevels } from './log-level.ts';

/** Anything JSON, errors, maps. The three names every line has are taken. */
export interface LogFields {
  readonly [name: string]: unknown;
  readonly timestamp?: never;
  readonly level?: never;
  readonly message?: never;
}

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly output?: NodeJS.WritableStream;
}

export function createLogger({ level, output = process.stdout }: LoggerOptions): Logger {
  const root = createWinston({
    level,
    levels: Object.fromEntries(logLevels.map((name, severity) => [name, severity])),
    format: format.printf(({ level: lineLevel, message, ...fields }) => formatLine(lineLevel, String(message), fields)),
    transports: [new transports.Stream({ stream: output, eol: '\n' })],
    exitOnError: false,
  });
  return wrap(root);
}

/** Winston's own type lets anything through; callers get the narrow one. */
function wrap(logger: Winston): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      // Winston makes the whole line first and asks then.
      if (logger.isLevelEnabled(level)) logger.log(level, message, fields);
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/**
 * What JSON may leave as it is, and a terminal still obeys or a reader does not see: controls of the second set, and marks that turn
 * the direction of writing or break lines.
 */
const steering = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** timestamp, level and message come first, and no field can replace them. */
function formatLine(level: string, message: string, fields: Record<string, unknown>): string {
  const line = { timestamp: new Date().toISOString(), level, message: logText(message) };
  const text = JSON.stringify({ ...line, ...logFields(fields), ...line });
  return text.replace(steering, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
