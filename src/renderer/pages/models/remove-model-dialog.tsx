import { useLocation } from 'wouter'
import type { Model } from '../../../contract/model.ts'
import { call } from '../../backend/call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { plainText } from '../../format/plain-text.ts'

/** Asks before a model is forgotten. */
export function RemoveModelDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const [, navigate] = useLocation()
  return (
    <ConfirmDialog
      title={`Remove this ${model.kind}?`}
      confirmLabel="Remove"
      destructive
      onClose={onClose}
      onConfirm={async () => {
        await call('models.remove', { id: model.id })
        navigate('/models')
      }}
    >
      <strong>{plainText(model.name, 120)}</strong> ({formatBytes(model.sizeBytes)}) is deleted from the workspace. The file it was imported
      from is not touched. Removal is refused while builds, comparisons or deployments need it.
    </ConfirmDialog>
  )
}
