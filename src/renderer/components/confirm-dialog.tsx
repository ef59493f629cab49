import { Button, Group, Modal, Stack } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { ErrorNotice } from './error-notice.tsx'

interface ConfirmDialogProps {
  readonly title: string
  readonly confirmLabel: string
  /** Closes by itself when this is done; an error is shown and the dialog stays. */
  readonly onConfirm: () => Promise<unknown>
  readonly onClose: () => void
  readonly children: ReactNode
  /** Red button, and the focus starts on Cancel. */
  readonly destructive?: boolean
}

/** Asks before something that cannot be undone. Mounted only while it is open. */
export function ConfirmDialog({ title, confirmLabel, onConfirm, onClose, children, destructive = false }: ConfirmDialogProps) {
  const [pending, setPending] = useState(false)
  const [error, setError] = useState<unknown>(null)
  async function confirm(): Promise<void> {
    setPending(true)
    setError(null)
    try {
      await onConfirm()
      onClose()
    } catch (reason) {
      setError(reason)
      setPending(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={title} size="md" closeOnClickOutside={!pending}>
      <Stack gap="sm">
        <div className="es-wrap">{children}</div>
        {error ? <ErrorNotice error={error} /> : null}
        <Group justify="flex-end" gap="xs" mt={4}>
          <Button variant="default" onClick={onClose} disabled={pending} data-autofocus={destructive || undefined}>
            Cancel
          </Button>
          <Button
            color={destructive ? 'red' : undefined}
            onClick={confirm}
            loading={pending}
            data-autofocus={!destructive || undefined}
            data-testid="confirm"
          >
            {confirmLabel}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
