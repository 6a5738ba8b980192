// The few numbers about the process itself that every dashboard expects, under their customary names.
import { Counter, Gauge, type Registry } from '@prometheus-io/client';

export function registerProcessMetrics(registry: Registry): void {
  registry.registerMetric(residentMemory());
  registry.registerMetric(startTime());
  registry.registerMetric(cpuTime());
}

function residentMemory(): Gauge {
  return new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory',
    registers: [],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
}

function startTime(): Gauge {
  const help = 'Start of the process, seconds since 1970';
  const gauge = new Gauge({ name: 'process_start_time_seconds', help, registers: [] });
  gauge.set(Math.round(performance.timeOrigin / 1000));
  return gauge;
}

function cpuTime(): Counter {
  let counted = 0;
  return new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system',
    registers: [],
    collect() {
      const { user, system } = process.cpuUsage();
      const seconds = (user + system) / 1e6;
      this.inc(Math.max(0, seconds - counted));
      counted = seconds;
    },
  });
}
