import { PROMETHEUS_JOB } from './prometheus-files.ts'

interface Target {
  readonly expr: string
  readonly legendFormat: string
}

interface Panel {
  readonly title: string
  readonly description?: string
  readonly kind: 'stat' | 'timeseries'
  readonly unit: string
  /** Of 24 columns. */
  readonly width: number
  readonly targets: readonly Target[]
  readonly thresholds?: readonly { readonly value: number | null; readonly color: string }[]
}

/** What every expression looks at: the instances and versions chosen above the panels. */
const chosen = `job="${PROMETHEUS_JOB}",instance=~"$instance",model=~"$model"`
const ofProcess = `job="${PROMETHEUS_JOB}",instance=~"$instance"`
const rate = (metric: string, more = '') => `rate(${metric}{${chosen}${more}}[$__rate_interval])`
const sum = (inner: string) => `sum by (version) (${inner})`
const each = (expr: string): Target => ({ expr, legendFormat: '{{version}}' })
const goodBad = [
  { value: null, color: 'red' },
  { value: 1, color: 'green' },
]
const highIsBad = (warning: number, critical: number) => [
  { value: null, color: 'green' },
  { value: warning, color: 'orange' },
  { value: critical, color: 'red' },
]

const servingPanels: readonly Panel[] = [
  {
    title: 'Up',
    kind: 'stat',
    unit: 'none',
    width: 4,
    targets: [{ expr: `up{${ofProcess}}`, legendFormat: '{{instance}}' }],
    thresholds: goodBad,
  },
  {
    title: 'Requests per second',
    kind: 'stat',
    unit: 'reqps',
    width: 5,
    targets: [{ expr: `sum(${rate('edgesmith_request_duration_seconds_count')})`, legendFormat: 'requests' }],
  },
  {
    title: 'Failed by the server',
    kind: 'stat',
    unit: 'percentunit',
    width: 5,
    targets: [
      {
        expr: `sum(${rate('edgesmith_http_responses_total', ',class="5xx"')}) / sum(${rate('edgesmith_http_responses_total')})`,
        legendFormat: 'share',
      },
    ],
    thresholds: highIsBad(0.001, 0.01),
  },
  {
    title: 'p95',
    kind: 'stat',
    unit: 's',
    width: 5,
    targets: [
      { expr: `histogram_quantile(0.95, sum by (le) (${rate('edgesmith_request_duration_seconds_bucket')}))`, legendFormat: 'p95' },
    ],
  },
  {
    title: 'Running since',
    kind: 'stat',
    unit: 's',
    width: 5,
    targets: [{ expr: `time() - process_start_time_seconds{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
  {
    title: 'Prediction requests',
    kind: 'timeseries',
    unit: 'reqps',
    width: 12,
    targets: [
      { expr: sum(rate('nv_inference_request_success')), legendFormat: 'answered, {{version}}' },
      { expr: sum(rate('nv_inference_request_failure')), legendFormat: 'refused or failed, {{version}}' },
    ],
  },
  {
    title: 'Latency',
    description: 'From header to answer, refused requests included. The smallest bucket is 50 µs.',
    kind: 'timeseries',
    unit: 's',
    width: 12,
    targets: [0.5, 0.95, 0.99].map((quantile) => ({
      expr: `histogram_quantile(${quantile}, sum by (le, version) (${rate('edgesmith_request_duration_seconds_bucket')}))`,
      legendFormat: `p${quantile * 100}, {{version}}`,
    })),
  },
  {
    title: 'Where the time goes',
    description: 'Mean of a request in microseconds: waiting for a run, and the run.',
    kind: 'timeseries',
    unit: 'µs',
    width: 12,
    targets: [
      {
        expr: `${sum(rate('nv_inference_request_duration_us'))} / ${sum(rate('nv_inference_request_success'))}`,
        legendFormat: 'whole request, {{version}}',
      },
      {
        expr: `${sum(rate('nv_inference_queue_duration_us'))} / ${sum(rate('nv_inference_request_success'))}`,
        legendFormat: 'waiting, {{version}}',
      },
      {
        expr: `${sum(rate('nv_inference_compute_infer_duration_us'))} / ${sum(rate('nv_inference_request_success'))}`,
        legendFormat: 'run, {{version}}',
      },
    ],
  },
  {
    title: 'Samples in a run',
    description: 'Requests that arrive together share a run.',
    kind: 'timeseries',
    unit: 'short',
    width: 12,
    targets: [
      { expr: `${sum(rate('nv_inference_count'))} / ${sum(rate('nv_inference_exec_count'))}`, legendFormat: 'mean, {{version}}' },
      { expr: `histogram_quantile(0.95, sum by (le, version) (${rate('edgesmith_batch_size_bucket')}))`, legendFormat: 'p95, {{version}}' },
    ],
  },
  {
    title: 'Answers by status',
    kind: 'timeseries',
    unit: 'reqps',
    width: 12,
    targets: [{ expr: `sum by (class) (${rate('edgesmith_http_responses_total')})`, legendFormat: '{{class}}' }],
  },
  {
    title: 'Load',
    kind: 'timeseries',
    unit: 'short',
    width: 12,
    targets: [
      { expr: `sum(edgesmith_predictions_in_flight{${chosen}})`, legendFormat: 'predictions in flight' },
      { expr: `sum(edgesmith_queue_depth{${chosen}})`, legendFormat: 'samples waiting or run' },
      { expr: `sum(edgesmith_open_connections{${chosen}})`, legendFormat: 'connections' },
    ],
  },
  {
    title: 'Processor',
    kind: 'timeseries',
    unit: 'percentunit',
    width: 12,
    targets: [{ expr: `rate(process_cpu_seconds_total{${ofProcess}}[$__rate_interval])`, legendFormat: '{{instance}}' }],
  },
  {
    title: 'Memory',
    kind: 'timeseries',
    unit: 'bytes',
    width: 12,
    targets: [{ expr: `process_resident_memory_bytes{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
]

/** Of the machine; empty where it has no such sensor. */
const machinePanels: readonly Panel[] = [
  {
    title: 'Temperature',
    kind: 'timeseries',
    unit: 'celsius',
    width: 8,
    targets: [{ expr: `edgesmith_device_temperature_celsius{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
  {
    title: 'Clock of the processor',
    kind: 'timeseries',
    unit: 'hertz',
    width: 8,
    targets: [{ expr: `edgesmith_device_cpu_clock_hertz{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
  {
    title: 'Clocks held down',
    description: 'Too hot, too little power, or a limit somebody set.',
    kind: 'stat',
    unit: 'none',
    width: 8,
    targets: [{ expr: `edgesmith_device_throttled{${ofProcess}}`, legendFormat: '{{instance}}' }],
    thresholds: highIsBad(1, 1),
  },
  {
    title: 'Load of all processors',
    kind: 'timeseries',
    unit: 'percentunit',
    width: 8,
    targets: [{ expr: `edgesmith_device_cpu_load_ratio{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
  {
    title: 'Memory in use',
    kind: 'timeseries',
    unit: 'bytes',
    width: 8,
    targets: [{ expr: `edgesmith_device_memory_used_bytes{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
  {
    title: 'Power',
    kind: 'timeseries',
    unit: 'watt',
    width: 8,
    targets: [{ expr: `edgesmith_device_power_watts{${ofProcess}}`, legendFormat: '{{instance}}' }],
  },
]

const driftPanels: readonly Panel[] = [
  {
    title: 'Drift in two windows in a row',
    kind: 'stat',
    unit: 'none',
    width: 6,
    targets: [each(`max by (version) (edgesmith_drift_triggered{${chosen}})`)],
    thresholds: highIsBad(1, 2),
  },
  {
    title: 'Windows judged',
    kind: 'stat',
    unit: 'short',
    width: 6,
    targets: [each(`sum by (version) (edgesmith_drift_windows_total{${chosen}})`)],
  },
  {
    title: 'Features that drifted',
    kind: 'stat',
    unit: 'short',
    width: 12,
    targets: [each(`count by (version) (edgesmith_drift_level{${chosen}} > 0)`)],
    thresholds: highIsBad(1, 5),
  },
  {
    title: 'Population stability index as a share of its limit, the ten worst',
    description: 'Over 1 the index of the last window counts as drift; how large it must be depends on the number of bins and rows.',
    kind: 'timeseries',
    unit: 'short',
    width: 12,
    targets: [{ expr: `topk(10, edgesmith_drift_psi{${chosen}} / edgesmith_drift_psi_limit{${chosen}})`, legendFormat: '{{feature}}' }],
  },
  {
    title: 'Distance from the reference, the ten worst',
    description:
      'Kolmogorov-Smirnov distance; for categories the greatest change of a share. Judged together with its corrected p-value (below).',
    kind: 'timeseries',
    unit: 'short',
    width: 12,
    targets: [{ expr: `topk(10, edgesmith_drift_distance{${chosen}})`, legendFormat: '{{feature}}' }],
  },
  {
    title: 'Corrected p-value, the ten smallest',
    kind: 'timeseries',
    unit: 'short',
    width: 24,
    targets: [{ expr: `bottomk(10, edgesmith_drift_p_value{${chosen}})`, legendFormat: '{{feature}}' }],
  },
]

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variables look so
const datasource = { type: 'prometheus', uid: '${datasource}' } as const
const heights = { stat: 4, timeseries: 8, row: 1 } as const

/**
 * A dashboard over exactly our metrics, for Grafana 10 and later.
 * Source: Grafana documentation, "Dashboard JSON model".
 * @param watchesDrift the service knows a reference of drift
 */
export function grafanaDashboard(service: string, watchesDrift: boolean): object {
  const rows = [
    { title: 'Serving', panels: servingPanels },
    ...(watchesDrift ? [{ title: 'Drift', panels: driftPanels }] : []),
    { title: 'Machine', panels: machinePanels },
  ]
  const panels: object[] = []
  let top = 0
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { h: heights.row, w: 24, x: 0, y: top },
      panels: [],
    })
    top += heights.row
    let left = 0
    let height = 0
    for (const panel of inRow) {
      if (left + panel.width > 24) {
        left = 0
        top += height
      }
      // Panels in one line have the height of its first.
      if (left === 0) height = heights[panel.kind]
      panels.push(drawn(panel, panels.length + 1, { h: height, w: panel.width, x: left, y: top }))
      left += panel.width
    }
    top += height
  }
  return {
    uid: `edgesmith-${service}`.slice(0, 40),
    title: `Edgesmith: ${service}`,
    tags: ['edgesmith'],
    editable: true,
    schemaVersion: 39,
    version: 1,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    graphTooltip: 1,
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', current: {}, hide: 0, label: 'Prometheus' },
        labelVariable('instance', `label_values(up{job="${PROMETHEUS_JOB}"}, instance)`),
        labelVariable('model', `label_values(nv_inference_count{job="${PROMETHEUS_JOB}"}, model)`),
      ],
    },
    panels,
  }
}

function labelVariable(name: string, query: string): object {
  return {
    name,
    label: name,
    type: 'query',
    datasource,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    sort: 1,
  }
}

function drawn({ title, description, kind, unit, targets, thresholds }: Panel, id: number, gridPos: object): object {
  const steps = thresholds ?? [{ value: null, color: 'green' }]
  return {
    id,
    type: kind,
    title,
    ...(description === undefined ? {} : { description }),
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0, thresholds: { mode: 'absolute', steps } }, overrides: [] },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value', graphMode: 'area', textMode: 'auto' }
        : { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: targets.map(({ expr, legendFormat }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat,
      range: true,
    })),
  }
}
