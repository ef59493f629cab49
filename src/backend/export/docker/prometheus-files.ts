import { stringify } from 'yaml'
import { API_HOST, TOKEN_SECRET } from './compose-file.ts'

/** Job of all instances, which dashboard and alerts ask for. */
export const PROMETHEUS_JOB = 'edgesmith'

const yaml = (document: object) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })

/** `prometheus.yml`. Source: Prometheus documentation, "Configuration", 2.53. */
export function prometheusConfig(port: number): string {
  return yaml({
    global: { scrape_interval: '15s', scrape_timeout: '10s', evaluation_interval: '15s' },
    rule_files: ['alerts.yml'],
    scrape_configs: [
      {
        job_name: PROMETHEUS_JOB,
        metrics_path: '/metrics',
        authorization: { type: 'Bearer', credentials_file: TOKEN_SECRET },
        static_configs: [{ targets: [`${API_HOST}:${port}`] }],
      },
    ],
  })
}

interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
}

export interface AlertOptions {
  /** Answers slower than this (p95) are worth a warning. */
  readonly slowSeconds: number
  /** The service knows a reference of drift. */
  readonly watchesDrift: boolean
}

/** Rules over our metrics; `alertmanager` is the user's to connect. */
export function alertRules({ slowSeconds, watchesDrift }: AlertOptions): string {
  const job = `{job="${PROMETHEUS_JOB}"}`
  const rules: AlertRule[] = [
    {
      alert: 'EdgesmithDown',
      expr: `up${job} == 0`,
      for: '1m',
      severity: 'critical',
      summary: '{{ $labels.instance }} does not answer Prometheus.',
    },
    {
      alert: 'EdgesmithNotReady',
      expr: `edgesmith_ready${job} == 0`,
      for: '1m',
      severity: 'critical',
      summary: '{{ $labels.model }} at {{ $labels.instance }} answers no predictions; GET /ready says why.',
    },
    {
      alert: 'EdgesmithErrors',
      expr: `sum by (model) (rate(edgesmith_http_responses_total{job="${PROMETHEUS_JOB}",class="5xx"}[5m])) / sum by (model) (rate(edgesmith_http_responses_total${job}[5m])) > 0.01`,
      for: '5m',
      severity: 'critical',
      summary: '{{ $labels.model }} fails {{ $value | humanizePercentage }} of its requests.',
    },
    {
      alert: 'EdgesmithSlow',
      expr: `histogram_quantile(0.95, sum by (le, model) (rate(edgesmith_request_duration_seconds_bucket${job}[5m]))) > ${slowSeconds}`,
      for: '10m',
      severity: 'warning',
      summary: 'p95 of {{ $labels.model }} is {{ $value | humanizeDuration }}.',
    },
    {
      alert: 'EdgesmithQueue',
      expr: `min_over_time(edgesmith_queue_depth${job}[5m]) > 0 and rate(nv_inference_exec_count${job}[5m]) == 0`,
      for: '5m',
      severity: 'critical',
      summary: 'Samples wait for {{ $labels.model }}, and none is run.',
    },
    {
      alert: 'EdgesmithRestarts',
      expr: `changes(process_start_time_seconds${job}[15m]) > 2`,
      for: '0m',
      severity: 'warning',
      summary: '{{ $labels.instance }} started {{ $value }} times within 15 minutes.',
    },
    ...(watchesDrift
      ? [
          {
            alert: 'EdgesmithDrift',
            expr: `max by (model) (edgesmith_drift_triggered${job}) == 1`,
            for: '1m',
            severity: 'warning' as const,
            summary: 'The data of {{ $labels.model }} drifted from what it was made with in two windows in a row.',
          },
        ]
      : []),
  ]
  const written = rules.map(({ alert, expr, severity, summary, for: wait }) => ({
    alert,
    expr,
    for: wait,
    labels: { severity },
    annotations: { summary },
  }))
  return yaml({ groups: [{ name: 'edgesmith', rules: written }] })
}
