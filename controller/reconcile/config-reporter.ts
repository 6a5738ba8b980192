// Tells people what is wrong with host-config: in the log, and as an Event on the ConfigMap while this process acts. Each
// change is told once; the same again, as after a restart of the watch, is no news.
import type { ConfigProblem } from '../config/host-config.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EventRecorder, ObjectReference } from './event-recorder.ts';

/** More lines about one change help nobody. */
const maxLines = 50;

interface Report {
  readonly about: ObjectReference;
  readonly problems: readonly ConfigProblem[];
}

export class ConfigReporter {
  readonly #logger: Logger;
  readonly #events: EventRecorder;
  #last: Report | undefined;
  #logged: string | undefined;
  /** What the last Event said; '' for nothing wrong. */
  #announced = '';
  #acting = false;

  constructor(logger: Logger, events: EventRecorder) {
    this.#logger = logger;
    this.#events = events;
  }

  /** A host-config was read. */
  note(about: ObjectReference, problems: readonly ConfigProblem[]): void {
    this.#last = { about, problems };
    this.#log(problems);
    if (this.#acting) this.#announce(this.#last);
  }

  /** This process acts from now on. */
  start(): void {
    this.#acting = true;
    if (this.#last !== undefined) this.#announce(this.#last);
  }

  #log(problems: readonly ConfigProblem[]): void {
    const text = JSON.stringify(problems);
    if (text === this.#logged) return;
    const mended = this.#logged !== undefined && problems.length === 0;
    this.#logged = text;
    if (mended) this.#logger.info('host-config: no problems any more');
    for (const { key, message, severity, platform } of problems.slice(0, maxLines)) {
      const level = severity === 'error' ? 'error' : 'warn';
      // A field called key would be taken for a secret.
      this.#logger[level](`host-config: ${key} ${message}`, { entry: key, platform });
    }
    if (problems.length > maxLines) this.#logger.error(`host-config: and ${problems.length - maxLines} more problems`);
  }

  #announce({ about, problems }: Report): void {
    const message = summaryOf(problems);
    if (message === this.#announced) return;
    this.#announced = message;
    // The same words after something else are news again.
    this.#events.forget(about.uid);
    this.#events.emitAbout(
      about,
      message === ''
        ? { severity: 'Normal', reason: 'HostConfigValid', message: 'nothing is wrong any more' }
        : { severity: 'Warning', reason: 'HostConfigInvalid', message },
    );
  }
}

/** Errors first: an Event has room for a few hundred characters only. */
function summaryOf(problems: readonly ConfigProblem[]): string {
  if (problems.length === 0) return '';
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  const counts = [
    ...(errors.length > 0 ? [`${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`] : []),
    ...(warnings.length > 0 ? [`${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`] : []),
  ];
  const sentences = [...errors, ...warnings].map(({ key, message }) => `${key} ${message}`);
  return `${counts.join(', ')}: ${sentences.join('; ')}`;
}
