import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { procedures } from '../../contract/procedures.ts'
import { useAction } from '../backend/use-action.ts'
import { fieldErrors } from '../forms/field-errors.ts'
import { ErrorNotice } from './error-notice.tsx'

interface RenameDialogProps {
  readonly procedure: 'models.rename' | 'datasets.rename'
  readonly subject: { readonly id: string; readonly name: string }
  readonly onClose: () => void
}

/** Gives a model or dataset another name. */
export function RenameDialog({ procedure, subject, onClose }: RenameDialogProps) {
  const [name, setName] = useState(subject.name)
  const rename = useAction(procedure, { showsError: true })
  const errors = fieldErrors(procedures[procedure].input, { id: subject.id, name })
  return (
    <Modal opened onClose={onClose} title="Rename">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate({ id: subject.id, name }, { onSuccess: onClose })
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={errors.name}
            data-autofocus
            data-testid="new-name"
          />
          {rename.error ? <ErrorNotice error={rename.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              disabled={errors.name !== undefined || name === subject.name}
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
