# Network policies of hosts → [{id, token, taskRun}], oldest first, as many as fit into the limit.
def instance:
  .metadata.labels as $labels
  | { id: .metadata.name, token: $labels["build.appstudio.redhat.com/launch-token"],
      taskRun: "\($labels["build.appstudio.redhat.com/user-task-namespace"])/\($labels["build.appstudio.redhat.com/user-task-name"])" };
[.items | sort_by(.metadata.creationTimestamp, .metadata.name)[] | instance]
| reduce .[] as $one ([]; if (. + [$one] | tojson | length) <= $limit then . + [$one] else . end)
