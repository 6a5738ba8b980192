// One line per decision, after it was written: which build, which host, why. Never a secret.
import type { Action, TaskRunManifest } from '../model/action.ts';
import { labels } from '../model/labels.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { LogFields, Logger } from '../telemetry/logger.ts';

export function logAction(logger: Logger, action: Action): void {
  switch (action.type) {
    case 'emit-event': {
      const { severity, reason, message, about } = action;
      // Every step of a build is an Event; the log says the same.
      return logger[severity === 'Warning' ? 'warn' : 'info'](message, { ...fieldsOf(about), reason });
    }
    case 'create-task-run':
      return logger.info('TaskRun created', createdFields(action.manifest));
    case 'cancel-task-run':
      return logger.info('TaskRun cancelled', { cancelled: action.target.name });
    case 'report-orphan':
      return logger.warn(action.message, { host: action.host, reason: 'OrphanGivenUp' });
    case 'rearm-token':
      return logger.info('one-time token is good again', { ...fieldsOf(action.owner), retries: action.retries });
    case 'patch-user-task-run':
    case 'delete-task-run':
    case 'drop-own-finalizer':
    case 'mark-cleaned':
    case 'create-secret':
    case 'check-secret':
    case 'delete-secret':
    case 'annotate-pod':
      return logger.debug(action.type, { action: action.type });
  }
}

function createdFields({ metadata }: TaskRunManifest): LogFields {
  const {
    [labels.userTaskNamespace]: namespace,
    [labels.userTaskName]: taskRun,
    [labels.assignedHost]: host,
  } = metadata.labels;
  return { created: metadata.name, namespace, taskRun, host };
}

function fieldsOf(taskRun: UserTaskRun): LogFields {
  const { namespace, name, platform, facts } = taskRun;
  return { namespace, taskRun: name, platform, host: facts?.claim?.host };
}
