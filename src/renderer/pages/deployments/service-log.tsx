import { ActionIcon, Loader, Tooltip } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import type { Deployment } from '../../../contract/deployment.ts'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { Section } from '../../components/section.tsx'
import { plainLines } from '../../format/plain-text.ts'
import classes from './deployment-detail.module.css'

/** The end of a service's log. */
export function ServiceLog({ deployment }: { deployment: Deployment }) {
  const log = useCall('deployments.logs', { id: deployment.id, lines: 200 })
  const box = useRef<HTMLPreElement>(null)
  const length = log.data?.text.length ?? 0
  useEffect(() => {
    if (box.current && length > 0) box.current.scrollTop = box.current.scrollHeight
  }, [length])
  return (
    <Section
      title="Log"
      aside={
        <Tooltip label="Read again">
          <ActionIcon size="sm" aria-label="Read the log again" onClick={() => void log.refetch()}>
            {log.isFetching ? <Loader size={12} /> : <IconRefresh size={14} />}
          </ActionIcon>
        </Tooltip>
      }
      flush
    >
      <AsyncView query={log}>
        {({ text }) => (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
          <pre className={classes.log} ref={box} tabIndex={0} data-testid="deployment-log">
            {text === '' ? 'The log is empty.' : plainLines(text)}
          </pre>
        )}
      </AsyncView>
    </Section>
  )
}
