import { Button, Select } from '@mantine/core'
import { IconArrowBarToDown } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { Deployment } from '../../../contract/deployment.ts'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import classes from './service-log.module.css'
import { ServiceLogLines } from './service-log-lines.tsx'
import { useReached } from './use-reached.ts'

/** Nearer to the end than this, in pixels, the log follows what is written. */
const AT_END = 24
/** Asking runs a command on the device, so not every second. */
const ASK_EVERY_MS = 3000
const lengths = ['200', '1000', '5000'] as const

/** The end of a service's log, asked again while it is shown. It follows the end until somebody scrolls up. */
export function ServiceLog({ deployment }: { deployment: Deployment }) {
  const [lines, setLines] = useState<string>(lengths[0])
  const [follows, setFollows] = useState(true)
  const reached = useReached(deployment.deviceId)
  const log = useCall(
    'deployments.logs',
    { id: deployment.id, lines: Number(lines) },
    { keepPrevious: true, ...(follows && reached ? { refetchIntervalMs: ASK_EVERY_MS } : {}) },
  )
  const box = useRef<HTMLDivElement>(null)
  const text = log.data?.text ?? ''
  useEffect(() => {
    if (follows && box.current && text !== '') box.current.scrollTop = box.current.scrollHeight
  }, [follows, text])
  return (
    <section className={classes.panel} aria-label="Log">
      <div className={classes.bar}>
        <span className={classes.choice}>
          <Select
            aria-label="Lines of the log"
            data={lengths.map((value) => ({ value, label: `last ${value} lines` }))}
            value={lines}
            onChange={(value) => setLines(value ?? lengths[0])}
            allowDeselect={false}
            w={140}
            data-testid="log-lines"
          />
          <span className="es-dim">
            {!follows ? 'not following' : reached ? `asked every ${ASK_EVERY_MS / 1000} s` : 'the device is not connected'}
          </span>
        </span>
        {follows ? null : (
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<IconArrowBarToDown size={13} />}
            onClick={() => setFollows(true)}
            data-testid="log-follow"
          >
            Follow
          </Button>
        )}
      </div>
      <AsyncView query={log}>
        {() => (
          <div
            className={classes.lines}
            ref={box}
            role="log"
            aria-live="off"
            aria-label="Log of the service"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
            tabIndex={0}
            onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
              setFollows(scrollHeight - scrollTop - clientHeight < AT_END)
            }
            data-testid="deployment-log"
          >
            <ServiceLogLines text={text} />
          </div>
        )}
      </AsyncView>
    </section>
  )
}
