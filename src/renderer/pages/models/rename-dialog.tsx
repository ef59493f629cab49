import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Model } from '../../../contract/model.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'

/** Gives a model another name. */
export function RenameDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const [name, setName] = useState(model.name)
  const rename = useAction('models.rename', { showsError: true })
  const errors = fieldErrors(procedures['models.rename'].input, { id: model.id, name })
  return (
    <Modal opened onClose={onClose} title="Rename">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate({ id: model.id, name }, { onSuccess: onClose })
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={errors.name}
            data-autofocus
          />
          {rename.error ? <ErrorNotice error={rename.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={errors.name !== undefined || name === model.name} loading={rename.isPending}>
              Rename
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
