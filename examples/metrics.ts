import type { KeyEvent } from 'keyward'

/** Counts events for Prometheus. The labels are the type and the code of an event, never an id: they stay few. */
export function createMetrics() {
  const counts = new Map<string, number>()
  return {
    onEvent(event: KeyEvent): void {
      const code = event.type === 'denied' || event.type === 'fault' ? event.code : ''
      const labels = `type="${event.type}",code="${code}"`
      counts.set(labels, (counts.get(labels) ?? 0) + 1)
    },
    /** What `GET /metrics` answers. */
    text(): string {
      const lines = [...counts].map(([labels, count]) => `keyward_events_total{${labels}} ${count}\n`)
      return `# TYPE keyward_events_total counter\n${lines.join('')}`
    },
  }
}
