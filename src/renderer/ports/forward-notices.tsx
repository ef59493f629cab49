import { notifications } from '@mantine/notifications'
import { useEffect, useRef } from 'react'
import { useCall } from '../backend/use-call.ts'
import { CopyValue } from '../components/copy-value.tsx'
import { NoticeText } from '../components/notice-text.tsx'
import { forwardAddress, forwardKey } from './forward-address.ts'
import classes from './port-table.module.css'

/** Long enough to copy the address; the list of ports keeps it. */
const SHOWN_MS = 12_000

/** Says wherever the user is that a port was opened, and at which address; takes the notice away when the port is closed. */
export function ForwardNotices() {
  const { data: forwards } = useCall('devices.forwards', {})
  const { data: devices } = useCall('devices.list', {})
  // Ports that were open when the window was opened are no news.
  const known = useRef<ReadonlySet<string> | null>(null)
  useEffect(() => {
    if (!forwards) return
    const before = known.current
    known.current = new Set(forwards.map(forwardKey))
    if (before === null) return
    for (const key of before) if (!known.current.has(key)) notifications.hide(`forward-${key}`)
    for (const forward of forwards) {
      const key = forwardKey(forward)
      if (before.has(key)) continue
      const device = devices?.find(({ id }) => id === forward.deviceId)?.name ?? 'a device'
      notifications.show({
        id: `forward-${key}`,
        color: 'petrol',
        message: (
          <NoticeText
            text={`Port ${forward.devicePort} of ${device} (${forward.what}) is reached on this computer at`}
            action={
              <span className={classes.address} data-testid="forward-notice">
                <code>{forwardAddress(forward)}</code>
                <CopyValue value={forwardAddress(forward)} what="address" />
              </span>
            }
          />
        ),
        autoClose: SHOWN_MS,
      })
    }
  }, [forwards, devices])
  return null
}
