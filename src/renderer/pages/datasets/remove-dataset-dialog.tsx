import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { call } from '../../backend/call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { plainText } from '../../format/plain-text.ts'

interface RemoveDatasetDialogProps {
  readonly dataset: Dataset
  readonly datasets: readonly Dataset[]
  readonly onClose: () => void
}

/** Asks before a dataset is forgotten. */
export function RemoveDatasetDialog({ dataset, datasets, onClose }: RemoveDatasetDialogProps) {
  const [, navigate] = useLocation()
  const parts = datasets.filter(({ parentId }) => parentId === dataset.id)
  return (
    <ConfirmDialog
      title="Remove this dataset?"
      confirmLabel="Remove"
      destructive
      onClose={onClose}
      onConfirm={async () => {
        await call('datasets.remove', { id: dataset.id })
        navigate(dataset.parentId ? `/datasets/${dataset.parentId}` : '/datasets')
      }}
    >
      <strong>{plainText(dataset.name, 120)}</strong> is deleted from the workspace. The files it was imported from are not touched. Removal
      is refused while results {parts.length > 0 ? 'or its splits ' : ''}refer to it.
    </ConfirmDialog>
  )
}
