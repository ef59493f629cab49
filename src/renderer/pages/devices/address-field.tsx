import { Autocomplete } from '@mantine/core'
import type { SshConfigHost } from '../../../contract/device-link.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './add-device-form.module.css'
import type { Destination } from './destination.ts'
import { formatSshAddress } from './ssh-address.ts'

interface AddressFieldProps {
  readonly value: string
  readonly onChange: (address: string) => void
  readonly destination: Destination
  readonly hosts: readonly SshConfigHost[]
  /** Why ~/.ssh/config could not be read; addresses work without it. */
  readonly configError: Error | null
  /** What the contract finds wrong with what was read. */
  readonly error: string | undefined
}

/** Suggestions shown at most; typing narrows them down. */
const SUGGESTIONS = 50

/** One box for everything ssh takes: an address, or a name of ~/.ssh/config, which is suggested. Shows how it is read while it is typed. */
export function AddressField({ value, onChange, destination, hosts, configError, error }: AddressFieldProps) {
  const byAlias = new Map(hosts.map((host) => [host.alias, host]))
  // Half a name is no mistake while a name that goes on like that is suggested.
  const typed = value.trim().toLowerCase()
  const begun = hosts.some(({ alias }) => alias.toLowerCase().includes(typed))
  const problem = destination.ok ? error : begun ? undefined : destination.problem
  return (
    <>
      <Autocomplete
        label="Address"
        placeholder="pi@raspberrypi.local"
        description={
          hosts.length > 0 ? 'user@host or user@host:port, or a Host of ~/.ssh/config' : 'user@host or user@host:port, as for ssh'
        }
        value={value}
        onChange={onChange}
        data={[...byAlias.keys()]}
        limit={SUGGESTIONS}
        maxDropdownHeight={220}
        renderOption={({ option }) => <HostOption host={byAlias.get(option.value)} />}
        // The dialog opens with the focus here; a list that opens by itself would hide the form.
        openOnFocus={false}
        error={problem}
        data-autofocus
        data-testid="device-address"
        spellCheck={false}
        size="xs"
        comboboxProps={{ shadow: 'md' }}
      />
      {configError ? (
        <div className={`${classes.configError} es-wrap`} role="status">
          Names of ~/.ssh/config are not known: {plainText(configError.message, 300)}
        </div>
      ) : null}
      {destination.ok ? (
        <div className={classes.read} data-testid="device-address-read">
          <span>
            user <strong>{plainText(destination.address.user, 64)}</strong>
          </span>
          <span>
            host <strong>{plainText(destination.configHost?.host ?? destination.address.host, 255)}</strong>
          </span>
          <span>
            port <strong>{destination.address.port}</strong>
          </span>
          {destination.configHost?.proxyJump ? (
            <span>
              through <strong>{plainText(destination.configHost.proxyJump, 200)}</strong>
            </span>
          ) : null}
          {destination.configHost ? <span className="es-dim">from ~/.ssh/config, read again at every connection</span> : null}
        </div>
      ) : null}
    </>
  )
}

function HostOption({ host }: { host: SshConfigHost | undefined }) {
  if (!host) return null
  return (
    <span className={classes.option}>
      <strong className="es-ellipsis">{plainText(host.alias, 80)}</strong>
      <span className="es-dim es-ellipsis">
        {plainText(formatSshAddress(host), 120)}
        {host.proxyJump ? `, through ${plainText(host.proxyJump, 80)}` : ''}
      </span>
    </span>
  )
}
