import type { Device } from '../../../contract/device.ts'
import { call } from '../../backend/call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { deviceLabel } from '../../text/device-label.ts'

interface AddAgainDialogProps {
  readonly device: Device
  readonly onClose: () => void
  readonly onForgotten: () => void
}

/** Asks before a device is forgotten so that its connection can be given anew. What lies on it stays there and is found again. */
export function AddAgainDialog({ device, onClose, onForgotten }: AddAgainDialogProps) {
  return (
    <ConfirmDialog
      title={`Give the connection of ${deviceLabel(device)} anew?`}
      confirmLabel="Forget and add again"
      onClose={onClose}
      onConfirm={async () => {
        await call('devices.remove', { id: device.id, keepFiles: true })
        onForgotten()
      }}
    >
      The device is forgotten here, and the form opens with what is known of it. Files on the device stay, so the agent is not sent again.
      Results measured there are kept. Services on it go on running, but have to be deployed again to be seen here.
    </ConfirmDialog>
  )
}
