import { Button, Group } from '@mantine/core'
import { IconCircleCheck, IconMinus } from '@tabler/icons-react'
import { Link } from 'wouter'
import type { CompareAllResult } from '../../../contract/compare-all.ts'
import type { ComparisonRow } from '../../../contract/measurement.ts'
import { useCall } from '../../backend/use-call.ts'
import { LinkButton } from '../../components/link-button.tsx'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { VerdictChip } from '../../components/verdict-chip.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatPoints, formatRatio } from '../../format/shares.ts'
import { headlineText, metricDifferenceText } from '../../text/metric-text.ts'
import { type CompareAllRow, compareAllRows } from './compare-all-rows.ts'
import outcomeClasses from './optimize-outcome.module.css'
import classes from './recent-builds.module.css'

/** What trying all recipes gave: the build to take, then every recipe with what became of it. */
export function CompareAllOutcome({ result, onClose }: { result: CompareAllResult; onClose: () => void }) {
  const { comparison, recommended } = result
  const { data: models } = useCall('models.list', {})
  const rows = compareAllRows(result)
  const name = (id: string | undefined) => plainText(models?.find((model) => model.id === id)?.name ?? '', 120)
  const made = rows.filter(({ row }) => row !== null).length
  const Icon = recommended ? IconCircleCheck : IconMinus
  return (
    <div
      className={outcomeClasses.outcome}
      data-testid="compare-all-result"
      data-recommended={recommended?.modelId ?? ''}
      data-comparison-id={comparison?.id ?? ''}
    >
      <div className={outcomeClasses.head}>
        <Icon size={20} stroke={1.7} className={outcomeClasses.icon} aria-hidden />
        <div className={outcomeClasses.text}>
          <h2 className="es-wrap">
            {recommended ? `Take ${name(recommended.modelId)}` : 'No build was shown to be better than the original'}
          </h2>
          <div className="es-dim es-wrap">
            {recommended
              ? plainText(recommended.reason, 400)
              : comparison
                ? 'None was faster or smaller without losing accuracy.'
                : 'No recipe could be applied; the table says why.'}
          </div>
        </div>
        <Group gap={6} wrap="nowrap">
          {comparison ? (
            <LinkButton href={`/compare/${comparison.id}`} data-testid="compare-all-open">
              Open the comparison
            </LinkButton>
          ) : null}
          {recommended ? (
            <LinkButton variant="default" href={`/deployments/new/${recommended.modelId}`}>
              Deploy
            </LinkButton>
          ) : null}
          <Button variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
        </Group>
      </div>
      <Section title="All recipes" aside={`${formatCounted(made, 'build')} of ${formatCounted(rows.length, 'recipe')}`} flush>
        <table className={tableClasses.table}>
          <thead>
            <tr>
              <th scope="col">Recipe</th>
              <th scope="col">Speed</th>
              <th scope="col">Accuracy</th>
              <th scope="col">Median (p50)</th>
              <th scope="col">Size</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <CompareAllTableRow key={row.title} entry={row} />
            ))}
          </tbody>
        </table>
      </Section>
    </div>
  )
}

function CompareAllTableRow({ entry }: { entry: CompareAllRow }) {
  const { title, modelId, row, error, twin, recommended } = entry
  return (
    <tr
      data-testid={`compare-all-row-${title}`}
      data-error={error?.code ?? ''}
      data-verdict={row?.speedup?.verdict ?? ''}
      data-p50={row?.latencyMs.p50 ?? ''}
    >
      <td className={classes.name}>
        {modelId ? (
          <Link href={`/models/${modelId}`} className={classes.link}>
            {title}
          </Link>
        ) : (
          title
        )}
        {recommended ? <strong className={classes.recommended}>recommended</strong> : null}
        {twin ? <div className="es-dim">the same build as {twin}</div> : null}
      </td>
      {row ? (
        <MeasuredCells row={row} />
      ) : (
        <td colSpan={4} className="es-dim es-wrap">
          {error ? `Not made: ${plainText(error.message, 300)}` : 'Not measured'}
        </td>
      )}
    </tr>
  )
}

function MeasuredCells({ row: { speedup, metrics, accuracyDifference, metricDifference, latencyMs, sizeBytes } }: { row: ComparisonRow }) {
  return (
    <>
      <td className="es-num">
        {speedup ? (
          <>
            <div>{formatRatio(speedup.estimate)}</div>
            <VerdictChip verdict={speedup.verdict} />
          </>
        ) : null}
      </td>
      <td className="es-num">
        <div>{headlineText(metrics).replace(/^Accuracy /, '')}</div>
        <div className="es-dim">
          {accuracyDifference
            ? formatPoints(accuracyDifference.difference)
            : metricDifference && metricDifference.test !== 'none'
              ? metricDifferenceText(metricDifference.metric, metricDifference.difference)
              : ''}
        </div>
      </td>
      <td className="es-num">{formatMs(latencyMs.p50)}</td>
      <td className="es-num">{formatBytes(sizeBytes)}</td>
    </>
  )
}
