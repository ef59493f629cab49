import type { InferenceMeter } from '../predictor.ts'
import { Histogram } from './histogram.ts'
import type { MetricFamily } from './metric-text.ts'

/** From 50 µs, which small models need, to ten seconds; every step doubles or so. */
const DURATION_BOUNDS_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** What is read when the metrics are asked for. */
export interface MetricGauges {
  readonly openConnections: number
  readonly predictionsInFlight: number
  readonly queueDepth: number
}

/** Counts what Prometheus asks for. Names beginning with `nv_` mean what they mean in NVIDIA's Triton, so that its dashboards fit. */
export class ServiceMetrics implements InferenceMeter {
  private readonly durations = new Histogram(DURATION_BOUNDS_SECONDS)
  private readonly batches = new Histogram(BATCH_BOUNDS)
  private readonly statuses = new Float64Array(STATUS_CLASSES.length)
  private succeeded = 0
  private failed = 0
  private rows = 0
  private runs = 0
  private requestMs = 0
  private queueMs = 0
  private computeMs = 0

  /** An answer with this status was sent. */
  answered(status: number, isPrediction: boolean, durationMs: number): void {
    const statusClass = Math.floor(status / 100) - 1
    this.statuses[statusClass] = (this.statuses[statusClass] as number) + 1
    if (!isPrediction) return
    this.durations.observe(durationMs / 1000)
    if (status >= 400) this.failed++
    else {
      this.succeeded++
      this.requestMs += durationMs
    }
  }

  ran(rows: number, _requests: number, queueMs: number, computeMs: number): void {
    this.rows += rows
    this.runs++
    this.queueMs += queueMs
    this.computeMs += computeMs
    this.batches.observe(rows)
  }

  families(labels: Readonly<Record<string, string>>): MetricFamily[] {
    const one = (name: string, help: string, value: number): MetricFamily => ({
      name,
      help,
      type: 'counter',
      samples: [{ labels, value }],
    })
    const micros = (ms: number) => Math.round(ms * 1000)
    return [
      one('nv_inference_request_success', 'Prediction requests that succeeded.', this.succeeded),
      one('nv_inference_request_failure', 'Prediction requests that were refused or failed.', this.failed),
      one('nv_inference_count', 'Samples that were run.', this.rows),
      one('nv_inference_exec_count', 'Runs of the model; one run serves the samples of several requests.', this.runs),
      one('nv_inference_request_duration_us', 'From header to answer, summed over successful prediction requests.', micros(this.requestMs)),
      one('nv_inference_queue_duration_us', 'Waiting for a run, summed over requests.', micros(this.queueMs)),
      one('nv_inference_compute_infer_duration_us', 'The run itself, summed over the requests that shared it.', micros(this.computeMs)),
      {
        name: 'edgesmith_request_duration_seconds',
        help: 'From header to answer of prediction requests, refused ones included.',
        type: 'histogram',
        samples: this.durations.samples(labels),
      },
      { name: 'edgesmith_batch_size', help: 'Samples in one run.', type: 'histogram', samples: this.batches.samples(labels) },
      {
        name: 'edgesmith_http_responses_total',
        help: 'Answers by class of status, all paths.',
        type: 'counter',
        samples: STATUS_CLASSES.map((status, index) => ({ labels: { ...labels, class: status }, value: this.statuses[index] as number })),
      },
    ]
  }
}

/** What was counted for a version. */
export interface CountedVersion {
  readonly version: string
  readonly counted: ServiceMetrics
}

/**
 * All versions' numbers, each with its `version`. What no version was asked for (other paths, requests that were refused at once) counts as
 * the first one's.
 *
 * @param versions one at least, the current one first
 */
export function versionFamilies(model: string, versions: readonly CountedVersion[], gauges: MetricGauges): MetricFamily[] {
  const [current, ...others] = versions.map(({ version, counted }) => counted.families({ model, version }))
  const counters = (current ?? []).map((family, index) => ({
    ...family,
    samples: [...family.samples, ...others.flatMap((families) => families[index]?.samples ?? [])],
  }))
  const labels = { model, version: versions[0]?.version ?? '' }
  const gauge = (name: string, help: string, value: number): MetricFamily => ({ name, help, type: 'gauge', samples: [{ labels, value }] })
  return [
    ...counters,
    gauge('edgesmith_open_connections', 'Connections that are open.', gauges.openConnections),
    gauge('edgesmith_predictions_in_flight', 'Prediction requests being worked on, waiting ones included.', gauges.predictionsInFlight),
    gauge('edgesmith_queue_depth', 'Samples that wait for a run or are being run.', gauges.queueDepth),
  ]
}

/** The process, by the names that all of Prometheus' client libraries give them. */
export function processFamilies(): MetricFamily[] {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  const sample = (value: number) => [{ labels: {}, value }]
  return [
    {
      name: 'process_cpu_seconds_total',
      help: 'CPU time of the process, user and system.',
      type: 'counter',
      // Node.js gives it in microseconds.
      samples: sample((userCPUTime + systemCPUTime) / 1e6),
    },
    { name: 'process_resident_memory_bytes', help: 'Resident memory.', type: 'gauge', samples: sample(process.memoryUsage.rss()) },
    {
      name: 'process_start_time_seconds',
      help: 'When the process started, in seconds since 1970.',
      type: 'gauge',
      samples: sample((Date.now() - process.uptime() * 1000) / 1000),
    },
  ]
}
