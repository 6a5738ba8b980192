# A pod → how it ended without anybody having terminated it; nothing while it lives.
(.status.containerStatuses // [] | map(.state.terminated // empty) | first) as $ended
| if .metadata.deletionTimestamp then "it was deleted"
  elif (.status.phase == "Failed" or .status.phase == "Succeeded" or $ended) then
    [ .status.reason, .status.message, $ended.reason,
      (if $ended then "exit code \($ended.exitCode)" else null end), $ended.message ]
    | map(select(. != null and . != "")) | join(": ") | gsub("\\s+"; " ")
  else empty end
