import { CodeBlock } from '../../../components/code-block.tsx'
import { Section } from '../../../components/section.tsx'
import { formatExactMoment } from '../../../format/moments.ts'
import { plainText } from '../../../format/plain-text.ts'
import { GateChecks } from './gate-checks.tsx'
import { shortRelease, type VersionRow } from './version-rows.ts'
import classes from './versions.module.css'

/** Releases that did not make it: why, what was checked, and the end of the log at that time. Nothing where there are none. */
export function FailedReleases({ rows }: { rows: readonly VersionRow[] }) {
  const failed = rows.flatMap((row) => (row.failure ? [{ ...row, failure: row.failure }] : []))
  if (failed.length === 0) return null
  return (
    <Section title="Failed releases">
      {failed.map(({ release, modelName, failure }) => (
        <div key={release} className={classes.failure} data-testid={`failed-${release}`}>
          <div className={classes.failureHead}>
            <strong className="es-wrap">
              {plainText(modelName, 80)} ({shortRelease(release)})
            </strong>
            <span className="es-dim">{formatExactMoment(failure.at)}</span>
          </div>
          <div className="es-wrap">{plainText(failure.reason, 2000)}</div>
          <GateChecks checks={failure.checks} />
          {failure.log === '' ? null : (
            <details>
              <summary className={classes.summary}>Log at that time</summary>
              <CodeBlock text={failure.log} what="log" maxHeight={260} />
            </details>
          )}
        </div>
      ))}
    </Section>
  )
}
