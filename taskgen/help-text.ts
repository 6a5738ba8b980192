// What --help says after the list of flags: examples, what happens to the Task, exit codes. Text only.

export const afterHelp = `
Examples:
  taskgen task.yaml | kubectl apply -f -          make a Task remote and install it
  taskgen task.yaml -o task-remote.yaml           the same, as a file to keep under version control
  taskgen --check -o task-remote.yaml task.yaml   in CI: is the file up to date?
  taskgen --explain task.yaml                     what would go to the host, and what would come back?
  taskgen --step build-container task.yaml        when the building step has another name
  taskgen --sync cache=in --env-deny 'CI_*' -     read standard input, send less to the host

What happens:
  The step named by --step runs its script in a container on a host of the wanted PLATFORM, over SSH. It sees the same
  workspaces, volumes, environment, arguments and results. All other steps stay in the cluster, and so do registry
  credentials. A TaskRun of the new Task sets one more parameter: PLATFORM, for example linux/arm64. With
  PLATFORM=localhost the script runs in the pod, in step <step>-local, with the image it had before.

Exit codes:
  0 done · 1 --check found a difference · 2 wrong command line · 3 the source cannot be used (every finding is listed)
`;
