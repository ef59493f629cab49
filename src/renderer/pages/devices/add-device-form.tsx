import { Button, Group, Stack, TextInput } from '@mantine/core'
import type { SshConfigHost } from '../../../contract/device-link.ts'
import { type ProcedureInput, procedures } from '../../../contract/procedures.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import { AddressField } from './address-field.tsx'
import { AdvancedFields } from './advanced-fields.tsx'
import { readDestination } from './destination.ts'
import { type DeviceDraft, deviceInput, deviceNameOf } from './device-draft.ts'
import { LoginFields } from './login-fields.tsx'

interface AddDeviceFormProps {
  readonly draft: DeviceDraft
  /** Of the user's ~/.ssh/config. */
  readonly hosts: readonly SshConfigHost[]
  readonly configError: Error | null
  readonly onChange: (draft: DeviceDraft) => void
  readonly onSubmit: (input: ProcedureInput<'devices.add'>) => void
  readonly onClose: () => void
  readonly pending: boolean
  readonly error: Error | null
}

/** One box for the address, read while it is typed; a name; how to log in; what few need. */
export function AddDeviceForm(props: AddDeviceFormProps) {
  const { draft, hosts, configError, onChange, onSubmit, onClose, pending, error } = props
  const destination = readDestination(draft.address, hosts)
  const input = deviceInput(draft, hosts)
  const errors = input ? fieldErrors(procedures['devices.add'].input, input) : {}
  const ready = input !== undefined && Object.keys(errors).length === 0 && (draft.method !== 'password' || draft.password !== '')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (ready && !pending) onSubmit(input)
      }}
    >
      <Stack gap="sm">
        <AddressField
          value={draft.address}
          onChange={(address) => onChange({ ...draft, address })}
          destination={destination}
          hosts={hosts}
          configError={configError}
          error={errors.user ?? errors.host ?? errors.port ?? errors.configHost}
        />
        <TextInput
          label="Name"
          placeholder={deviceNameOf(draft, hosts) || 'How you call it'}
          value={draft.name}
          onChange={(event) => onChange({ ...draft, name: event.currentTarget.value })}
          error={errors.name}
          data-testid="device-name"
          spellCheck={false}
        />
        <LoginFields draft={draft} onChange={onChange} keyError={errors['auth.keyPath']} />
        <AdvancedFields draft={draft} onChange={onChange} fromConfig={destination.ok && destination.configHost !== null} errors={errors} />
        {error ? <ErrorNotice error={error} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">{pending ? 'Connecting, checking the host key, probing…' : 'Nothing is sent to the device yet.'}</span>
          <Group gap="xs" wrap="nowrap">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!ready} loading={pending} data-testid="device-connect">
              Connect
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  )
}
