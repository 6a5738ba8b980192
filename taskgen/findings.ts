// What the generator may say about a source Task: every code, how bad it is, and how a finding is printed.
// It decides no rule; the modules that know a rule add findings here, so that all of them are listed at once.

export type Severity = 'error' | 'warning' | 'note';

/** A path into the Task as the reader knows it: ['spec', 'steps', 0, 'script']. */
export type Path = readonly (string | number)[];

interface CodeEntry {
  readonly severity: Severity;
  readonly title: string;
  /** `--accept CODE` turns the error into a warning: the user knows something the generator cannot. */
  readonly acceptable?: true;
}

/** Codes are API: they never change their meaning, and a retired one is not used again. */
export const findingCodes = {
  MPT000: { severity: 'error', title: 'The YAML cannot be read' },
  MPT001: { severity: 'error', title: 'No such step' },
  MPT002: { severity: 'error', title: 'The step has no script' },
  MPT003: { severity: 'error', title: 'The step is a reference to a StepAction' },
  MPT004: { severity: 'error', title: 'The step has a script and a command' },
  MPT005: { severity: 'error', title: 'Unusable name' },
  MPT006: { severity: 'error', title: 'The Task has an unsuitable PLATFORM parameter' },
  MPT007: { severity: 'error', title: 'The volume name or the mount path of the SSH Secret is taken' },
  MPT008: { severity: 'error', title: 'A name that the generator needs is taken' },
  MPT009: { severity: 'error', title: 'The Task is a remote Task already' },
  MPT010: { severity: 'error', title: 'Not one Task' },
  MPT011: { severity: 'error', title: 'A Windows script' },
  MPT012: { severity: 'error', title: 'The script contains a control character' },
  MPT013: { severity: 'error', title: 'The Task has sidecars', acceptable: true },
  MPT014: { severity: 'error', title: 'The scripts are too large for a pod' },
  MPT015: { severity: 'warning', title: 'The scripts are large' },
  MPT016: { severity: 'error', title: 'The step has no image' },
  MPT017: { severity: 'error', title: 'tekton.dev/v1 has no such field' },
  MPT018: { severity: 'warning', title: 'The Task is too large for kubectl apply' },
  MPT020: { severity: 'error', title: 'The step uses a file that exists only in the cluster', acceptable: true },
  MPT021: { severity: 'error', title: 'The step uses the volume or claim behind a workspace' },
  MPT022: { severity: 'warning', title: 'Step results are lost when the build runs in the cluster' },
  MPT023: { severity: 'warning', title: 'The exit code of the step is read by another one' },
  MPT024: { severity: 'warning', title: 'The files of the build may belong to another user' },
  MPT025: { severity: 'warning', title: 'Captured output is lost when the build runs in the cluster' },
  MPT026: { severity: 'error', title: 'The timeout of the step is no duration' },
  MPT027: { severity: 'warning', title: 'The group of the step is not set on the host' },
  MPT030: { severity: 'warning', title: 'The image of the step is for one platform' },
  MPT031: { severity: 'warning', title: 'A default for PLATFORM is not seen by every controller' },
  MPT032: { severity: 'warning', title: 'No later step sees the image' },
  MPT033: { severity: 'note', title: 'No image comes back' },
  MPT034: { severity: 'error', title: 'Something is to happen with an image that does not come back' },
  MPT035: { severity: 'warning', title: 'The image of the step could not be looked up' },
  MPT036: { severity: 'error', title: 'A flag names something that the Task does not have', acceptable: true },
  MPT037: { severity: 'error', title: 'Flags that contradict each other' },
  MPT038: { severity: 'warning', title: 'Later steps would not find the image' },
  MPT110: { severity: 'warning', title: 'A workspace that looks like credentials is not sent' },
  MPT111: { severity: 'warning', title: 'A service account token is not sent' },
  MPT112: { severity: 'error', title: 'A volume that cannot be sent' },
  MPT113: { severity: 'error', title: 'An unusable mount path' },
  MPT114: { severity: 'warning', title: 'An environment variable from a Secret is not sent' },
  MPT115: { severity: 'note', title: 'A Secret is sent to the host' },
  MPT116: { severity: 'warning', title: 'A volume claim is sent to the host' },
  MPT117: { severity: 'warning', title: 'A variable named like one of the pod is not set on the host' },
  MPT118: { severity: 'warning', title: 'The build would be told the resources of the step that connects' },
  MPT119: { severity: 'warning', title: 'The step asks for a workspace that is not sent' },
  MPT120: { severity: 'error', title: 'A step would not see the platform in the tag', acceptable: true },
  MPT121: { severity: 'note', title: 'The tag ends in the platform' },
  MPT201: { severity: 'warning', title: 'A parameter is substituted into the script' },
  MPT202: { severity: 'warning', title: 'The script uses registry credentials' },
  MPT203: { severity: 'error', title: 'The step also pushes the image', acceptable: true },
  MPT204: { severity: 'warning', title: 'The shebang is not at the start of the script' },
  MPT205: { severity: 'error', title: 'The script cannot run in two halves' },
  MPT207: { severity: 'warning', title: 'The script leaves a container behind' },
  MPT208: { severity: 'warning', title: 'The script reads the list of images in the cluster' },
  MPT209: { severity: 'warning', title: 'Another step builds for the platform of the cluster' },
  MPT210: { severity: 'warning', title: 'Another step runs the image in the cluster' },
} as const satisfies Record<string, CodeEntry>;

export type FindingCode = keyof typeof findingCodes;

/** A finding as the rules state it: where in the Task, what is wrong, what to do. */
export interface Finding {
  readonly code: FindingCode;
  readonly at: Path;
  /** One sentence that names the key and the value. */
  readonly message: string;
  readonly fix: string;
  /** Where in the script, for findings at one. */
  readonly scriptOffset?: number;
}

/** A finding with its place in the file and the severity the options gave it. */
export interface LocatedFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly fix: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Judgement {
  readonly strict: boolean;
  readonly accepted: ReadonlySet<string>;
}

/** `--accept` makes an error a warning where that is possible, `--strict` makes a warning an error; accepted stays accepted. */
export function judgeSeverity(code: FindingCode, judgement: Judgement): Severity {
  const entry: CodeEntry = findingCodes[code];
  if (judgement.accepted.has(code) && (entry.acceptable === true || entry.severity === 'warning')) return 'warning';
  return entry.severity === 'warning' && judgement.strict ? 'error' : entry.severity;
}

/** Codes that `--accept` takes. */
export function isAcceptable(code: string): code is FindingCode {
  const entry = (findingCodes as Record<string, CodeEntry | undefined>)[code];
  return entry !== undefined && (entry.acceptable === true || entry.severity === 'warning');
}

/** `task.yaml:12:3: error MPT013: …` and the remedy on a line of its own. */
export function formatFinding(finding: LocatedFinding): string {
  const place = `${finding.file}:${finding.line}:${finding.column}`;
  return `${place}: ${finding.severity} ${finding.code}: ${finding.message}\n    fix: ${finding.fix}\n`;
}
