import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Device } from '../../../contract/device.ts'
import { call } from '../../backend/call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { notifyDone } from '../../components/notify.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { deviceLabel } from '../../text/device-label.ts'
import classes from './remove-device-dialog.module.css'

/** Asks before a device is cleaned and forgotten. */
export function RemoveDeviceDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [keepFiles, setKeepFiles] = useState(false)
  return (
    <ConfirmDialog
      title={`Remove ${deviceLabel(device)}?`}
      confirmLabel={keepFiles ? 'Forget' : 'Clean and remove'}
      destructive
      onClose={onClose}
      onConfirm={async () => {
        const { removedBytes } = await call('devices.remove', { id: device.id, keepFiles })
        notifyDone(keepFiles ? `Forgot ${device.name}` : `Removed ${formatBytes(removedBytes)} from ${device.name}`)
        navigate('/devices')
      }}
    >
      {keepFiles
        ? 'The device is only forgotten. Services go on running there, and the files stay.'
        : 'Services on the device are stopped, and everything Edgesmith put there is deleted. Results measured there are kept.'}
      <Checkbox
        className={classes.keep}
        checked={keepFiles}
        onChange={(event) => setKeepFiles(event.currentTarget.checked)}
        label="The device cannot be reached: only forget it"
        data-testid="keep-files"
      />
    </ConfirmDialog>
  )
}
