// Durations as Tekton writes them: 90s, 1h30m. Whole seconds only.

export function secondsOf(duration: string): number | undefined {
  const [all, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  return all === undefined || all === '' ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
