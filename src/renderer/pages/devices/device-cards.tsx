import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { DeviceCard } from './device-card.tsx'
import classes from './device-cards.module.css'

interface DeviceCardsProps {
  readonly devices: readonly Device[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
  readonly onAdd: () => void
}

/** One card a device, this computer first. */
export function DeviceCards({ devices, selectedId, onSelect, onAdd }: DeviceCardsProps) {
  const local = devices.filter(({ id }) => id === LOCAL_DEVICE_ID)
  const others = devices.filter(({ id }) => id !== LOCAL_DEVICE_ID).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  return (
    <div className={classes.cards}>
      {[...local, ...others].map((device) => (
        <DeviceCard key={device.id} device={device} selected={device.id === selectedId} onSelect={() => onSelect(device.id)} />
      ))}
      {others.length === 0 ? (
        <div className={classes.hint} data-testid="devices-empty">
          <p>
            Add a Raspberry Pi, a Jetson or any 64-bit Linux machine you reach by SSH. Nothing has to be installed on it: Edgesmith sends
            what it needs, runs without root, and removes it all again.
          </p>
          <button type="button" className={classes.add} onClick={onAdd}>
            Add a device
          </button>
        </div>
      ) : null}
    </div>
  )
}
