import type { SampleView } from '../../../contract/dataset.ts'
import type { Task, WorstSample } from '../../../contract/evaluation.ts'
import { PictureCanvas } from '../../components/picture-canvas.tsx'
import { formatCount, formatSignificant, NOTHING } from '../../format/numbers.ts'
import { formatDecibels, formatRoughPercent } from '../../format/shares.ts'
import classes from './worst-samples.module.css'

interface WorstSampleCardProps {
  readonly sample: WorstSample
  /** The input as a person looks at it; undefined while it is fetched. */
  readonly view: SampleView | undefined
  readonly task: Task
  readonly className: (index: number) => string
  /** Whose the other answer is; null where there is none. */
  readonly other: string | null
}

/** One sample with its input, what was expected, and what was answered. */
export function WorstSampleCard({ sample, view, task, className, other }: WorstSampleCardProps) {
  const answer = (value: number | null) => {
    if (value === null) return NOTHING
    return task === 'classification' ? className(value) : formatSignificant(value)
  }
  const [first] = view?.values ?? []
  return (
    <li className={classes.card} data-testid={`worst-${sample.index}`}>
      <div className={classes.picture}>
        {view?.picture ? (
          <PictureCanvas picture={view.picture} label={`Sample ${sample.index}`} />
        ) : (
          <span className={`${classes.values} es-wrap`}>{first ? first.first.slice(0, 12).map(formatSignificant).join(', ') : ''}</span>
        )}
      </div>
      <dl className={classes.facts}>
        {task === 'parity' ? null : (
          <>
            <dt>expected</dt>
            <dd className="es-ellipsis">{answer(sample.expected)}</dd>
          </>
        )}
        {sample.answer === null ? null : (
          <>
            <dt>answered</dt>
            <dd className="es-ellipsis">
              {answer(sample.answer)}{' '}
              {sample.confidence === null ? '' : <span className="es-dim">{formatRoughPercent(sample.confidence)}</span>}
            </dd>
          </>
        )}
        {other !== null && sample.baselineAnswer !== null ? (
          <>
            <dt className="es-ellipsis" title={other}>
              {other}
            </dt>
            <dd className="es-ellipsis">{answer(sample.baselineAnswer)}</dd>
          </>
        ) : null}
        {sample.error === null ? null : (
          <>
            <dt>{task === 'regression' ? 'error' : 'SQNR'}</dt>
            <dd>{task === 'regression' ? formatSignificant(sample.error) : formatDecibels(sample.error)}</dd>
          </>
        )}
        <dt>sample</dt>
        <dd className="es-dim">{formatCount(sample.index)}</dd>
      </dl>
    </li>
  )
}
