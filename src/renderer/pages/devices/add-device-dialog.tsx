import { Modal } from '@mantine/core'
import { useState } from 'react'
import type { Device } from '../../../contract/device.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'
import { reportOf } from '../../backend/backend-error.ts'
import { useAction } from '../../backend/use-action.ts'
import { AddDeviceForm } from './add-device-form.tsx'
import { emptyDeviceDraft } from './device-draft.ts'
import { HostKeyChanged } from './host-key-changed.tsx'
import { HostKeyConfirm } from './host-key-confirm.tsx'
import { hostKeyDetails } from './host-key-details.ts'

interface AddDeviceDialogProps {
  readonly onClose: () => void
  readonly onAdded: (deviceId: Device['id']) => void
}

/** Adds a device in one or two steps: the address, and the host key where it was never seen. */
export function AddDeviceDialog({ onClose, onAdded }: AddDeviceDialogProps) {
  // Kept here, so that going back from the host key does not empty the form.
  const [draft, setDraft] = useState(emptyDeviceDraft)
  const [asked, setAsked] = useState<ProcedureInput<'devices.add'> | null>(null)
  const add = useAction('devices.add', { showsError: true })
  const refusal = add.error ? reportOf(add.error) : null
  const details = refusal ? hostKeyDetails(refusal) : null

  function connect(input: ProcedureInput<'devices.add'>): void {
    setAsked(input)
    add.mutate(input, { onSuccess: (device) => onAdded(device.id) })
  }

  const unknown = refusal?.code === 'HOST_KEY_UNKNOWN' && details?.fingerprint
  const changed = refusal?.code === 'HOST_KEY_CHANGED' || refusal?.code === 'HOST_KEY_MISMATCH'
  return (
    <Modal
      opened
      onClose={onClose}
      title={unknown ? 'Is this your device?' : changed ? 'Connection refused' : 'Add a device'}
      size={520}
      closeOnClickOutside={!add.isPending}
    >
      {changed && refusal && details ? (
        <HostKeyChanged report={refusal} details={details} onClose={onClose} />
      ) : unknown && asked && details ? (
        <HostKeyConfirm
          details={details}
          pending={add.isPending}
          onAccept={() => connect({ ...asked, hostKey: details.fingerprint ?? '' })}
          onCancel={add.reset}
        />
      ) : (
        <AddDeviceForm draft={draft} onChange={setDraft} onSubmit={connect} onClose={onClose} pending={add.isPending} error={add.error} />
      )}
    </Modal>
  )
}
