import type { Evaluation } from '../../../contract/evaluation.ts'
import { headlineMetric } from '../../../contract/evaluation.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import { headlineText, metricInterval, metricValue } from '../../text/metric-text.ts'
import classes from './runs.module.css'
import { useNames } from './use-names.ts'

interface EvaluationsTableProps {
  readonly evaluations: readonly Evaluation[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
}

/** One row an evaluation. */
export function EvaluationsTable({ evaluations, selectedId, onSelect }: EvaluationsTableProps) {
  const now = useNow(60_000)
  const names = useNames()
  const columns: readonly Column<Evaluation>[] = [
    {
      key: 'model',
      header: 'Model',
      sort: ({ modelId }) => names.model(modelId),
      cell: ({ modelId }) => <strong>{names.model(modelId)}</strong>,
    },
    {
      key: 'dataset',
      header: 'Dataset',
      priority: 2,
      sort: ({ datasetName }) => datasetName,
      cell: ({ datasetName }) => plainText(datasetName, 40),
    },
    {
      key: 'device',
      header: 'Device',
      priority: 3,
      sort: ({ deviceId }) => names.device(deviceId),
      cell: ({ deviceId }) => names.device(deviceId),
    },
    { key: 'task', header: 'Task', priority: 3, sort: ({ task }) => task, cell: ({ task }) => task },
    {
      key: 'samples',
      header: 'Samples',
      align: 'right',
      priority: 3,
      sort: ({ samples }) => samples,
      cell: ({ samples }) => formatCount(samples),
    },
    {
      key: 'result',
      header: 'Result',
      align: 'right',
      sort: ({ metrics }) => headlineMetric(metrics)?.value ?? null,
      cell: ({ metrics }) => {
        const headline = headlineMetric(metrics)
        const interval = headline && metricInterval(metrics, headline.metric)
        return (
          <span className={classes.stacked}>
            <span>{headlineText(metrics)}</span>
            {headline && interval ? (
              <span className={classes.interval}>
                [{metricValue(headline.metric, interval[0])}, {metricValue(headline.metric, interval[1])}]
              </span>
            ) : null}
          </span>
        )
      },
    },
    {
      key: 'created',
      header: 'Measured',
      align: 'right',
      priority: 2,
      sort: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => (
        <span className="es-dim" title={formatExactMoment(createdAt)}>
          {formatMoment(createdAt, now)}
        </span>
      ),
    },
  ]
  return (
    <ListTable
      label="Evaluations"
      columns={columns}
      rows={evaluations}
      rowKey={({ id }) => id}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ id }) => `evaluation-${id}`}
    />
  )
}
