import { Button, CopyButton } from '@mantine/core'
import { IconArrowBarToDown, IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { Device } from '../../../contract/device.ts'
import { useDeviceLog } from '../../backend/use-device-log.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { formatCounted } from '../../format/numbers.ts'
import classes from './device-log.module.css'
import { DeviceLogLines } from './device-log-lines.tsx'
import { logText } from './log-text.ts'

/** Nearer to the end than this, in pixels, the log follows what is written. */
const AT_END = 24

/** What happened between this computer and a device, as a terminal shows it. It follows the end until somebody scrolls up. */
export function DeviceLog({ device }: { device: Pick<Device, 'id'> }) {
  const log = useDeviceLog(device.id)
  const box = useRef<HTMLDivElement>(null)
  const [follows, setFollows] = useState(true)
  const last = log.data?.at(-1)?.number
  useEffect(() => {
    if (follows && box.current && last !== undefined) box.current.scrollTop = box.current.scrollHeight
  }, [follows, last])
  return (
    <section className={classes.log} aria-label="Log">
      <div className={classes.bar}>
        <span className="es-dim">
          {log.data ? formatCounted(log.data.length, 'line') : ''} since Edgesmith was started{follows ? '' : ' · not following'}
        </span>
        <span className={classes.actions}>
          {follows ? null : (
            <Button
              variant="default"
              size="compact-xs"
              leftSection={<IconArrowBarToDown size={13} />}
              onClick={() => setFollows(true)}
              data-testid="device-log-follow"
            >
              Follow
            </Button>
          )}
          <CopyButton value={logText(log.data ?? [])} timeout={1500}>
            {({ copied, copy }) => (
              <Button
                variant="default"
                size="compact-xs"
                leftSection={copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
                onClick={copy}
                disabled={!log.data?.length}
                data-testid="device-log-copy"
              >
                {copied ? 'Copied' : 'Copy all'}
              </Button>
            )}
          </CopyButton>
        </span>
      </div>
      <div
        className={classes.lines}
        ref={box}
        role="log"
        // A connection that is being made writes many lines a second; who listens can read them by arrow keys.
        aria-live="off"
        aria-label="Log of the device"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setFollows(scrollHeight - scrollTop - clientHeight < AT_END)
        }
        data-testid="device-log"
        data-lines={log.data?.length}
      >
        <AsyncView query={log}>{(lines) => <DeviceLogLines lines={lines} />}</AsyncView>
      </div>
    </section>
  )
}
