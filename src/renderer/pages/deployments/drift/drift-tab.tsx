import type { Deployment } from '../../../../contract/deployment.ts'
import type { ServiceLive } from '../../../../contract/service-protocol.ts'
import detailClasses from '../../../components/detail.module.css'
import { Section } from '../../../components/section.tsx'
import { formatCount, formatCounted } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import classes from './drift.module.css'
import { DriftTable } from './drift-table.tsx'
import { PredictionLog } from './prediction-log.tsx'

const SHOWN_TRIGGERS = 20

/** Whether what the service is asked, and what it answers, still looks like the data it was deployed with. */
export function DriftTab({ deployment, live }: { deployment: Pick<Deployment, 'id' | 'service'>; live: ServiceLive | undefined }) {
  if (!live) {
    return (
      <div className={detailClasses.sections}>
        <Section title="Drift">
          <span className="es-dim">Drift is read from the service while it runs and its device is connected.</span>
        </Section>
      </div>
    )
  }
  const { drift, predictionLog } = live
  return (
    <div className={detailClasses.sections}>
      {drift ? (
        <>
          <DriftWindow drift={drift} />
          <DriftTable features={drift.features} />
        </>
      ) : (
        <Section title="Drift">
          <span className="es-dim" data-testid="drift-none">
            This version came without reference data, so nothing is compared. Deploy it with a dataset of at least 1,000 samples to watch
            for drift.
          </span>
        </Section>
      )}
      <PredictionLog deployment={deployment} log={predictionLog} />
    </div>
  )
}

/** What is collected, and how it is judged. */
function DriftWindow({ drift }: { drift: NonNullable<ServiceLive['drift']> }) {
  const { windowRows, filledRows, judgedWindows, triggered } = drift
  const more = triggered.length - SHOWN_TRIGGERS
  return (
    <Section title="Window" aside={`${formatCounted(judgedWindows, 'window')} judged`}>
      <div className={classes.window}>
        <div
          className={classes.track}
          role="progressbar"
          aria-label="Predictions collected for the next judgement"
          aria-valuemin={0}
          aria-valuemax={windowRows}
          aria-valuenow={filledRows}
        >
          <div className={classes.bar} style={{ width: `${Math.min(100, (filledRows / windowRows) * 100)}%` }} />
        </div>
        <p>
          <strong data-testid="drift-filled">
            {formatCount(filledRows)} of {formatCount(windowRows)}
          </strong>{' '}
          predictions collected. Each full window is compared with the data the version was deployed with.
        </p>
        {triggered.length > 0 ? (
          <p className="es-wrap" data-testid="drift-triggered">
            <strong>Drifting for two windows or more:</strong>{' '}
            {triggered
              .slice(0, SHOWN_TRIGGERS)
              .map((name) => plainText(name, 60))
              .join(', ')}
            {more > 0 ? ` and ${formatCount(more)} more` : ''}. The model may need to be trained again.
          </p>
        ) : null}
        <p className="es-dim">
          A feature has drifted when its population stability index (PSI) is over its limit, which grows where samples are few, or when the
          Kolmogorov-Smirnov test finds a distance of 0.1 or more with p under 0.05 after Holm's correction for the number of features. Two
          windows in a row raise the alarm: one may be chance.
        </p>
      </div>
    </Section>
  )
}
