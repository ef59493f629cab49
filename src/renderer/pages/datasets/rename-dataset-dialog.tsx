import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Dataset } from '../../../contract/dataset.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'

/** Gives a dataset another name. */
export function RenameDatasetDialog({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const [name, setName] = useState(dataset.name)
  const rename = useAction('datasets.rename', { showsError: true })
  const errors = fieldErrors(procedures['datasets.rename'].input, { id: dataset.id, name })
  return (
    <Modal opened onClose={onClose} title="Rename">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate({ id: dataset.id, name }, { onSuccess: onClose })
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={errors.name}
            data-autofocus
            data-testid="dataset-name"
          />
          {rename.error ? <ErrorNotice error={rename.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              disabled={errors.name !== undefined || name === dataset.name}
              loading={rename.isPending}
              data-testid="confirm"
            >
              Rename
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
