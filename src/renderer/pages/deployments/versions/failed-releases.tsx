import { Button } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { call } from '../../../backend/call.ts'
import { ConfirmDialog } from '../../../components/confirm-dialog.tsx'
import { Section } from '../../../components/section.tsx'
import { formatExactMoment } from '../../../format/moments.ts'
import { plainText } from '../../../format/plain-text.ts'
import { FailureLog } from '../failure-log.tsx'
import { GateChecks } from './gate-checks.tsx'
import { shortRelease, type VersionRow } from './version-rows.ts'
import classes from './versions.module.css'

interface FailedReleasesProps {
  readonly deploymentId: string
  readonly rows: readonly VersionRow[]
  /** Something was removed: what lies on the device is another list now. */
  readonly onRemoved: () => void
}

/** Releases that did not make it: why, what was checked, and the end of the log at that time. Nothing where there are none. */
export function FailedReleases({ deploymentId, rows, onRemoved }: FailedReleasesProps) {
  const [removing, setRemoving] = useState<string | null>(null)
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
            <Button
              variant="default"
              size="compact-xs"
              leftSection={<IconTrash size={13} />}
              onClick={() => setRemoving(release)}
              data-testid={`forget-${release}`}
            >
              Remove…
            </Button>
          </div>
          <div className="es-wrap">{plainText(failure.reason, 2000)}</div>
          <GateChecks checks={failure.checks} />
          <FailureLog text={failure.log} />
        </div>
      ))}
      {removing === null ? null : (
        <ConfirmDialog
          title="Remove this failed release?"
          confirmLabel="Remove"
          destructive
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            await call('deployments.forgetFailure', { id: deploymentId, release: removing })
            onRemoved()
          }}
        >
          Why it failed, its checks and its log are deleted from the device. What serves is not touched.
        </ConfirmDialog>
      )}
    </Section>
  )
}
