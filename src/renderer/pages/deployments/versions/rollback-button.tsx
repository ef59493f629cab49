import { Button, Tooltip } from '@mantine/core'
import { IconArrowBackUp } from '@tabler/icons-react'
import { useState } from 'react'
import { ConfirmDialog } from '../../../components/confirm-dialog.tsx'
import { notifyDone, notifyError } from '../../../components/notify.tsx'
import { plainText } from '../../../format/plain-text.ts'
import { useTraffic } from './use-traffic.ts'
import { rollbackOf, type VersionRow } from './version-rows.ts'

interface RollbackButtonProps {
  readonly deploymentId: string
  readonly rows: readonly VersionRow[]
  /** The current version is still being watched. */
  readonly watched: boolean
}

/** Takes back what is being tried at once; asks first where it would change what has served for a while. */
export function RollbackButton({ deploymentId, rows, watched }: RollbackButtonProps) {
  const [asking, setAsking] = useState(false)
  const [pending, setPending] = useState(false)
  const { rollBack } = useTraffic(deploymentId)
  const rollback = rollbackOf(rows, watched)

  async function now(): Promise<void> {
    setPending(true)
    try {
      await rollBack()
      notifyDone('Rolled back')
    } catch (error) {
      notifyError(error, 'Not rolled back')
    } finally {
      setPending(false)
    }
  }
  return (
    <>
      <Tooltip label={rollback ? plainText(rollback.text, 300) : 'There is no version to go back to yet.'}>
        <Button
          variant="default"
          leftSection={<IconArrowBackUp size={14} />}
          disabled={!rollback}
          loading={pending}
          onClick={() => (rollback?.trying ? void now() : setAsking(true))}
          data-testid="deployment-rollback"
        >
          Roll back
        </Button>
      </Tooltip>
      {asking && rollback ? (
        <ConfirmDialog title="Roll back?" confirmLabel="Roll back" onClose={() => setAsking(false)} onConfirm={rollBack}>
          {plainText(rollback.text, 300)} No request is lost.
        </ConfirmDialog>
      ) : null}
    </>
  )
}
