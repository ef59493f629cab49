import { Button, Group, Input, PasswordInput, SegmentedControl, Stack, TextInput } from '@mantine/core'
import { type ProcedureInput, procedures } from '../../../contract/procedures.ts'
import { bridge } from '../../backend/bridge.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import classes from './add-device-form.module.css'
import { type DeviceDraft, deviceInput, deviceNameOf } from './device-draft.ts'
import { parseSshAddress } from './ssh-address.ts'

interface AddDeviceFormProps {
  readonly draft: DeviceDraft
  readonly onChange: (draft: DeviceDraft) => void
  readonly onSubmit: (input: ProcedureInput<'devices.add'>) => void
  readonly onClose: () => void
  readonly pending: boolean
  readonly error: Error | null
}

/** One box for the address, read while it is typed; a name; how to log in. */
export function AddDeviceForm({ draft, onChange, onSubmit, onClose, pending, error }: AddDeviceFormProps) {
  const parsed = parseSshAddress(draft.address)
  const input = deviceInput(draft)
  const errors = input ? fieldErrors(procedures['devices.add'].input, input) : {}
  const ready = input !== undefined && Object.keys(errors).length === 0 && (draft.method !== 'password' || draft.password !== '')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) onSubmit(input)
      }}
    >
      <Stack gap="sm">
        <TextInput
          label="Address"
          placeholder="pi@raspberrypi.local"
          description="user@host or user@host:port, as for ssh"
          value={draft.address}
          onChange={(event) => onChange({ ...draft, address: event.currentTarget.value })}
          error={draft.address !== '' && !parsed.ok ? parsed.problem : undefined}
          data-autofocus
          data-testid="device-address"
          spellCheck={false}
        />
        {parsed.ok ? (
          <div className={classes.read} data-testid="device-address-read">
            <span>
              user <strong>{parsed.address.user}</strong>
            </span>
            <span>
              host <strong>{parsed.address.host}</strong>
            </span>
            <span>
              port <strong>{parsed.address.port}</strong>
            </span>
          </div>
        ) : null}
        <TextInput
          label="Name"
          placeholder={deviceNameOf(draft) || 'How you call it'}
          value={draft.name}
          onChange={(event) => onChange({ ...draft, name: event.currentTarget.value })}
          error={errors.name}
          data-testid="device-name"
          spellCheck={false}
        />
        <Input.Wrapper label="Log in with" labelElement="div" size="xs">
          <SegmentedControl
            fullWidth
            value={draft.method}
            onChange={(method) => onChange({ ...draft, method: method as DeviceDraft['method'] })}
            data={[
              { value: 'key', label: 'Key file' },
              { value: 'agent', label: 'ssh-agent' },
              { value: 'password', label: 'Password' },
            ]}
            data-testid="device-auth"
          />
        </Input.Wrapper>
        <LoginFields draft={draft} onChange={onChange} error={errors['auth.keyPath']} />
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

function LoginFields({ draft, onChange, error }: Pick<AddDeviceFormProps, 'draft' | 'onChange'> & { readonly error: string | undefined }) {
  switch (draft.method) {
    case 'key':
      return (
        <Group gap="xs" align="flex-end" wrap="nowrap">
          <TextInput
            label="Private key"
            placeholder="Path of the private key file"
            value={draft.keyPath}
            onChange={(event) => onChange({ ...draft, keyPath: event.currentTarget.value })}
            error={draft.keyPath === '' ? undefined : error}
            flex={1}
            data-testid="device-key-path"
            spellCheck={false}
          />
          <Button
            variant="default"
            onClick={async () => onChange({ ...draft, keyPath: (await bridge().chooseFile({ kind: 'open-key' })) ?? draft.keyPath })}
          >
            Choose…
          </Button>
        </Group>
      )
    case 'password':
      return (
        <PasswordInput
          label="Password"
          description="Kept in the key store of this system, never in the workspace"
          value={draft.password}
          onChange={(event) => onChange({ ...draft, password: event.currentTarget.value })}
          data-testid="device-password"
        />
      )
    case 'agent':
      return <div className="es-dim">The keys your running ssh-agent holds are tried.</div>
  }
}
