import { ActionIcon, Button, NumberInput, Switch, TagsInput, TextInput } from '@mantine/core'
import { IconKey, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { apiKeyNameSchema } from '../../../../contract/service.ts'
import { plainText } from '../../../format/plain-text.ts'
import { fieldErrors } from '../../../forms/field-errors.ts'
import classes from './deploy.module.css'
import type { SettingsDraft } from './settings-draft.ts'

interface AccessFieldsProps {
  readonly settings: SettingsDraft
  readonly onChange: (settings: SettingsDraft) => void
  readonly errors: Readonly<Record<string, string>>
}

/** Who may ask a service, how often, and from where. */
export function AccessFields({ settings, onChange, errors }: AccessFieldsProps) {
  const [name, setName] = useState('')
  const isTaken = settings.keys.some((key) => key.name === name.trim())
  const wrong = name.trim() === '' ? undefined : fieldErrors(apiKeyNameSchema, name.trim())['']
  function add(): void {
    onChange({ ...settings, keys: [...settings.keys, { name: name.trim(), isNew: true }] })
    setName('')
  }
  return (
    <fieldset className={classes.group}>
      <legend>Access</legend>
      <div className={classes.keyAdd}>
        <TextInput
          label="Key for a client of its own"
          description="Beside the service's token, with a limit of its own. It is made with this deployment and shown once; the device keeps only its hash"
          placeholder="name of the client"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={isTaken ? 'There is a key of that name' : (wrong ?? errors['settings.apiKeys'])}
          maxLength={64}
          spellCheck={false}
          data-testid="deploy-key-name"
        />
        <Button
          variant="default"
          leftSection={<IconKey size={14} />}
          onClick={add}
          disabled={name.trim() === '' || isTaken || wrong !== undefined}
          data-testid="deploy-key-add"
        >
          Add
        </Button>
      </div>
      {settings.keys.map(({ name: client, isNew }) => (
        <div key={client} className={classes.key}>
          <span className="es-wrap">{plainText(client, 64)}</span>
          <span className="es-dim">{isNew ? 'gets a key with this deployment' : 'has a key already'}</span>
          <ActionIcon
            size="sm"
            aria-label={`Remove the key of ${client}`}
            onClick={() => onChange({ ...settings, keys: settings.keys.filter((entry) => entry.name !== client) })}
          >
            <IconTrash size={14} />
          </ActionIcon>
        </div>
      ))}
      <div className={classes.numbers}>
        <NumberInput
          label="Prediction requests of one client (a batch is one)"
          suffix=" per second"
          placeholder="No limit"
          value={settings.rate}
          onChange={(rate) => onChange({ ...settings, rate })}
          error={errors['settings.rateLimit.requestsPerSecond']}
          data-testid="deploy-rate"
        />
        <NumberInput
          label="At once, at most"
          placeholder="A second's worth"
          value={settings.burst}
          onChange={(burst) => onChange({ ...settings, burst })}
          disabled={settings.rate === ''}
          error={errors['settings.rateLimit.burst']}
          allowDecimal={false}
        />
      </div>
      <Switch
        label="Open to the network"
        description="Without it the service listens on loopback of the device only, and this window reaches it through SSH"
        checked={settings.open}
        onChange={(event) => onChange({ ...settings, open: event.currentTarget.checked })}
        data-testid="deploy-open"
      />
      {settings.open ? (
        <TagsInput
          label="Names it may be asked under"
          description="As clients write them in the address, without port. Traffic is not encrypted: put a proxy with TLS in front outside a trusted network"
          placeholder="box.local, 192.168.1.20"
          value={[...settings.hosts]}
          onChange={(hosts) => onChange({ ...settings, hosts })}
          error={errors['settings.network.hosts']}
          splitChars={[',', ' ', ';']}
          data-testid="deploy-hosts"
        />
      ) : null}
    </fieldset>
  )
}
