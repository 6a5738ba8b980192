// What --help says after the list of flags: examples, what happens to the Task, exit codes. Text only.

export const afterHelp = `
Examples:
  taskgen explain task.yaml                       what would go to the host, what would come back, and why?
  taskgen task.yaml | kubectl apply -f -          make a Task remote and install it
  taskgen task.yaml -o task-remote.yaml           the same, as a file to keep under version control
  taskgen --check -o task-remote.yaml task.yaml   in CI: is the file up to date?
  taskgen --in-place-map taskgen.yaml --check     the same for all Tasks that a file lists with their flags
  taskgen --step build-container task.yaml        when the building step has another name
  taskgen --defer-push task.yaml                  when one step builds and pushes
  taskgen --sync cache=in --env-deny 'CI_*' -     read standard input, send less to the host
  taskgen pipeline --help                         a Pipeline that builds on several platforms at once

What happens:
  The step named by --step runs its script in a container on a host of the wanted PLATFORM, over SSH. It sees the same
  workspaces, volumes, environment, arguments and results. All other steps stay in the cluster, and so do registry
  credentials. A TaskRun of the new Task sets one more parameter: PLATFORM, for example linux/arm64. With
  PLATFORM=localhost the script runs in the pod, in step <step>-local, with the image it had before.

taskgen.yaml:
  tasks:
    - source: build.yaml            # paths are relative to this file
      output: build-remote.yaml
      flags: [--step, compile]

Findings:
  All of them are listed at once, on standard error: file:line:column, how bad, a code that never changes its meaning,
  the cause, and what to do. Errors stop the generation; warnings and notes do not.

Exit codes:
  0 done · 1 --check found a difference · 2 wrong command line · 3 the source cannot be used (every finding is listed)
`;
