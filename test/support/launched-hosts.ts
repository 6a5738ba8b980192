// The hosts that Tasks of a provider launched and have not removed: what a cloud would say is there.
export class LaunchedHosts {
  readonly #platforms = new Map<string, string>();
  readonly #peaks = new Map<string, number>();
  /** How often each was launched, and terminated. */
  readonly launches = new Map<string, number>();
  readonly terminates = new Map<string, number>();

  /** The same token again is the same host. */
  launch(token: string, platform: string): void {
    this.launches.set(token, (this.launches.get(token) ?? 0) + 1);
    this.#platforms.set(token, platform);
    const count = [...this.#platforms.values()].filter((it) => it === platform).length;
    this.#peaks.set(platform, Math.max(count, this.peak(platform)));
  }

  /** One that is not there is fine. */
  terminate(token: string): void {
    this.terminates.set(token, (this.terminates.get(token) ?? 0) + 1);
    this.#platforms.delete(token);
  }

  has(token: string): boolean {
    return this.#platforms.has(token);
  }

  get tokens(): readonly string[] {
    return [...this.#platforms.keys()];
  }

  /** The most that were ever there at once. */
  peak(platform: string): number {
    return this.#peaks.get(platform) ?? 0;
  }
}
