import type { ServiceStatus } from '../contract/deployment.ts'
import type { ReleaseView, ServiceView } from './service-place.ts'
import { getFromService, type ServiceAnswer } from './service-request.ts'
import { shownText } from './shown-text.ts'

/** What can be said of a service from the outside. */
export function stateOf(view: ServiceView | null, current: ReleaseView | null): ServiceStatus {
  const running = current !== null && current.pid !== null
  const startedAtMs = current?.state ? Date.parse(current.state.startedAt) : Number.NaN
  return {
    state: running ? 'running' : view?.stopped ? 'stopped' : 'failed',
    pid: current?.pid ?? null,
    // Both by the clock of the machine, which may be wrong.
    uptimeSeconds: running && view && Number.isFinite(startedAtMs) ? Math.max(0, (view.nowMs - startedAtMs) / 1000) : null,
    requests: null,
    errors: null,
    latencyP50Ms: null,
    latencyP95Ms: null,
    rssBytes: current?.rssBytes ?? null,
    message: running || view?.stopped ? null : 'The process ended. Its log says why; restart it.',
  }
}

type Statistics = Pick<ServiceStatus, 'requests' | 'errors' | 'latencyP50Ms' | 'latencyP95Ms' | 'message'>

/** What a running service counts, from its `GET /stats`. A service that does not answer has no numbers, and a message. */
export async function readServiceStatistics(port: number, token: string, timeoutMs: number): Promise<Statistics> {
  try {
    const { status, body } = await getFromService(port, '/stats', token, timeoutMs)
    const number = (name: string) => {
      const value = fieldOf(body, name)
      return typeof value === 'number' && Number.isFinite(value) ? value : null
    }
    return {
      requests: number('requests'),
      errors: number('errors'),
      latencyP50Ms: number('latency_p50_ms'),
      latencyP95Ms: number('latency_p95_ms'),
      message: status === 200 ? null : `/stats answers with status ${status}`,
    }
  } catch (error) {
    const none = { requests: null, errors: null, latencyP50Ms: null, latencyP95Ms: null }
    return { ...none, message: `The service does not answer: ${shownText((error as Error).message)}` }
  }
}

/** Whether the answer of `GET /health` is that of a service whose model is loaded; otherwise what it is. */
export function healthOf({ status, body }: ServiceAnswer, service: string): { readonly healthy: boolean; readonly found: string } {
  if (status !== 200) return { healthy: false, found: `/health answers with status ${status}` }
  if (fieldOf(body, 'service') !== service) return { healthy: false, found: 'another program answers' }
  return fieldOf(body, 'model_loaded') === true ? { healthy: true, found: 'healthy' } : { healthy: false, found: 'its model is not loaded' }
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}
