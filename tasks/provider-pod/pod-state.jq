# A pod → the nine things launch-pod looks at, one line, separated by the unit separator (empty ones stay).
def flat: . // "" | tostring | gsub("\\s+"; " ");
(.status.containerStatuses // [] | first // {}) as $container
| (.status.conditions // [] | map(select(.type == "PodScheduled" and .status == "False" and .reason == "Unschedulable")) | first // {}) as $unschedulable
| [ .status.phase, .metadata.deletionTimestamp, $unschedulable.message,
    $container.state.waiting.reason, $container.state.waiting.message,
    $container.state.terminated.reason // .status.reason, $container.state.terminated.message // .status.message,
    .status.podIP, .status.hostIP ]
| map(flat) | join("\u001f")
