import { Button, Group, Input, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { bridge } from '../../backend/bridge.ts'
import type { DeviceDraft } from './device-draft.ts'

interface LoginFieldsProps {
  readonly draft: DeviceDraft
  readonly onChange: (draft: DeviceDraft) => void
  /** What is wrong with the path of the key. */
  readonly keyError: string | undefined
}

const methods: readonly { readonly value: DeviceDraft['method']; readonly label: string }[] = [
  { value: 'default', label: 'As ssh does' },
  { value: 'key', label: 'Key file' },
  { value: 'agent', label: 'ssh-agent' },
  { value: 'password', label: 'Password' },
  { value: 'interactive', label: 'Prompts' },
]

/** How to log in, and what that needs. */
export function LoginFields({ draft, onChange, keyError }: LoginFieldsProps) {
  return (
    <>
      <Input.Wrapper label="Log in with" labelElement="div" size="xs">
        <SegmentedControl
          fullWidth
          value={draft.method}
          onChange={(method) => onChange({ ...draft, method: method as DeviceDraft['method'] })}
          data={[...methods]}
          data-testid="device-auth"
        />
      </Input.Wrapper>
      <MethodFields draft={draft} onChange={onChange} keyError={keyError} />
    </>
  )
}

function MethodFields({ draft, onChange, keyError }: LoginFieldsProps) {
  switch (draft.method) {
    case 'default':
    case 'key':
      return <KeyFields draft={draft} onChange={onChange} keyError={keyError} />
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
    case 'interactive':
      return (
        <div className="es-dim">
          Whatever the device asks opens as a question here: one-time codes, passwords that change. Nothing is kept.
        </div>
      )
  }
}

/** The key file. A path given where ssh's own way is chosen chooses the key file instead. */
function KeyFields({ draft, onChange, keyError }: LoginFieldsProps) {
  const isDefault = draft.method === 'default'
  const setPath = (keyPath: string) => onChange({ ...draft, keyPath, method: keyPath === '' ? draft.method : 'key' })
  return (
    <>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <TextInput
          label={isDefault ? 'Private key (optional)' : 'Private key'}
          description={
            isDefault ? 'Without one: the ssh-agent, the keys of ~/.ssh/config or ~/.ssh, then a question for the password' : undefined
          }
          placeholder="Path of the private key file"
          value={isDefault ? '' : draft.keyPath}
          onChange={(event) => setPath(event.currentTarget.value)}
          error={isDefault || draft.keyPath === '' ? undefined : keyError}
          flex={1}
          data-testid="device-key-path"
          spellCheck={false}
        />
        <Button
          variant="default"
          onClick={async () => {
            const chosen = await bridge().chooseFile({ kind: 'open-key' })
            if (chosen) setPath(chosen)
          }}
        >
          Choose…
        </Button>
      </Group>
      {isDefault ? null : (
        <PasswordInput
          label="Passphrase"
          description="Only where the key has one; kept in the key store of this system. Left empty, it is asked for when it is needed"
          value={draft.passphrase}
          onChange={(event) => onChange({ ...draft, passphrase: event.currentTarget.value })}
          data-testid="device-passphrase"
        />
      )}
    </>
  )
}
