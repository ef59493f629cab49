import { Collapse, Stack, TextInput, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useId, useState } from 'react'
import classes from './add-device-form.module.css'
import type { DeviceDraft } from './device-draft.ts'

interface AdvancedFieldsProps {
  readonly draft: DeviceDraft
  readonly onChange: (draft: DeviceDraft) => void
  /** The way to a Host of ~/.ssh/config stands there. */
  readonly fromConfig: boolean
  readonly errors: Readonly<Record<string, string>>
}

/** What few need: hosts in between, and a fingerprint that was read on the device. */
export function AdvancedFields({ draft, onChange, fromConfig, errors }: AdvancedFieldsProps) {
  const [open, setOpen] = useState(draft.jump !== '' || draft.hostKey !== '')
  const fields = useId()
  const Chevron = open ? IconChevronDown : IconChevronRight
  return (
    <div>
      <UnstyledButton
        className={classes.disclosure}
        onClick={() => setOpen(!open)}
        aria-expanded={open}
        aria-controls={fields}
        data-testid="device-advanced"
      >
        <Chevron size={14} stroke={1.8} aria-hidden />
        Advanced
      </UnstyledButton>
      <Collapse expanded={open} id={fields}>
        <Stack gap="sm" pt={6}>
          <TextInput
            label="Jump hosts"
            description={
              fromConfig ? 'As ~/.ssh/config says' : 'Hosts to go through, as for ssh -J: user@gateway:2222, several separated by commas'
            }
            placeholder="user@gateway"
            value={fromConfig ? '' : draft.jump}
            disabled={fromConfig}
            onChange={(event) => onChange({ ...draft, jump: event.currentTarget.value })}
            error={errors.jump}
            data-testid="device-jump"
            spellCheck={false}
          />
          <TextInput
            label="Fingerprint of the host key"
            description="Read on the device itself. Needed where it was set up anew and shows another key than the one on file"
            placeholder="SHA256:…"
            value={draft.hostKey}
            onChange={(event) => onChange({ ...draft, hostKey: event.currentTarget.value })}
            error={errors.hostKey}
            data-testid="device-host-key"
            spellCheck={false}
          />
        </Stack>
      </Collapse>
    </div>
  )
}
