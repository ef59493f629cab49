import { Modal } from '@mantine/core'
import { useState } from 'react'
import type { Device } from '../../../contract/device.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'
import { reportOf } from '../../backend/backend-error.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { AddDeviceForm } from './add-device-form.tsx'
import { withConfirmedKey } from './confirmed-keys.ts'
import type { DeviceDraft } from './device-draft.ts'
import { HostKeyChanged } from './host-key-changed.tsx'
import { HostKeyConfirm } from './host-key-confirm.tsx'
import { hostKeyDetails } from './host-key-details.ts'

interface AddDeviceDialogProps {
  /** What the form begins with. */
  readonly first: DeviceDraft
  readonly onClose: () => void
  readonly onAdded: (deviceId: Device['id']) => void
}

/** Adds a device: the address, then each host key on the way that was never seen. */
export function AddDeviceDialog({ first, onClose, onAdded }: AddDeviceDialogProps) {
  // Kept here, so that going back from the host key does not empty the form.
  const [draft, setDraft] = useState(first)
  const [asked, setAsked] = useState<ProcedureInput<'devices.add'> | null>(null)
  const hosts = useCall('devices.hosts', {})
  const add = useAction('devices.add', { showsError: true })
  // While a confirmed key is tried, the question for it stays: the form would only flash up in between.
  const [refused, setRefused] = useState<Error | null>(null)
  const refusal = refused ? reportOf(refused) : null
  const details = refusal ? hostKeyDetails(refusal) : null

  function connect(input: ProcedureInput<'devices.add'>): void {
    setAsked(input)
    add.mutate(input, { onSuccess: (device) => onAdded(device.id), onError: setRefused })
  }

  const unknown = refusal?.code === 'HOST_KEY_UNKNOWN' && details?.fingerprint
  const changed = refusal?.code === 'HOST_KEY_CHANGED' || refusal?.code === 'HOST_KEY_MISMATCH'
  return (
    <Modal
      opened
      onClose={onClose}
      title={
        unknown ? (details.jump ? 'Is this your jump host?' : 'Is this your device?') : changed ? 'Connection refused' : 'Add a device'
      }
      size={540}
      closeOnClickOutside={!add.isPending}
      // A question of the device may stand over this dialog meanwhile, and Escape belongs to it.
      closeOnEscape={!add.isPending}
    >
      {changed && refusal && details ? (
        <HostKeyChanged report={refusal} details={details} onBack={() => setRefused(null)} onClose={onClose} />
      ) : unknown && asked ? (
        <HostKeyConfirm
          // Another host on the way asks again, with the focus on Cancel again.
          key={details.fingerprint}
          details={details}
          pending={add.isPending}
          onAccept={() => connect(withConfirmedKey(asked, details))}
          onCancel={() => setRefused(null)}
        />
      ) : (
        <AddDeviceForm
          draft={draft}
          hosts={hosts.data ?? []}
          configError={hosts.error}
          onChange={setDraft}
          onSubmit={(input) => {
            setRefused(null)
            connect(input)
          }}
          onClose={onClose}
          pending={add.isPending}
          error={refused}
        />
      )}
    </Modal>
  )
}
