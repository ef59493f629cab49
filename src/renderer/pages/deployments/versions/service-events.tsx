import { Button } from '@mantine/core'
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconArrowsSplit2,
  IconBolt,
  IconCheck,
  IconCloudUpload,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconStairsUp,
  IconSwitchHorizontal,
  IconWaveSine,
} from '@tabler/icons-react'
import { useState } from 'react'
import type { ServiceEvent } from '../../../../contract/routing.ts'
import { Section } from '../../../components/section.tsx'
import { formatExactMoment, formatMoment } from '../../../format/moments.ts'
import { formatCount } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import { useNow } from '../../../hooks/use-now.ts'
import { shortRelease } from './version-rows.ts'
import classes from './versions.module.css'

const looks = {
  deployed: { Icon: IconCloudUpload, tone: 'plain', text: 'Deployed' },
  switched: { Icon: IconSwitchHorizontal, tone: 'good', text: 'Switched' },
  weights: { Icon: IconArrowsSplit2, tone: 'plain', text: 'Traffic' },
  'canary-step': { Icon: IconStairsUp, tone: 'plain', text: 'Canary step' },
  kept: { Icon: IconCheck, tone: 'good', text: 'Kept' },
  'rolled-back': { Icon: IconArrowBackUp, tone: 'warn', text: 'Rolled back' },
  failed: { Icon: IconAlertTriangle, tone: 'bad', text: 'Failed' },
  'fell-back': { Icon: IconArrowBackUp, tone: 'bad', text: 'Fell back' },
  started: { Icon: IconPlayerPlay, tone: 'plain', text: 'Started' },
  stopped: { Icon: IconPlayerStop, tone: 'plain', text: 'Stopped' },
  crashed: { Icon: IconBolt, tone: 'bad', text: 'Crashed' },
  upgraded: { Icon: IconRefresh, tone: 'plain', text: 'Upgraded' },
  drift: { Icon: IconWaveSine, tone: 'warn', text: 'Drift' },
} as const satisfies Record<ServiceEvent['kind'], unknown>

/** Whole ids of releases, of which people read the beginning. */
const shortened = (text: string) => text.replace(/\b[0-9a-f]{16}\b/g, shortRelease)

const FIRST_EVENTS = 12
const MINUTE = 60_000

/** What happened to a service, the newest first. */
export function ServiceEvents({ events }: { events: readonly ServiceEvent[] }) {
  const [all, setAll] = useState(false)
  const now = useNow(MINUTE)
  const newestFirst = [...events].reverse()
  const shown = all ? newestFirst : newestFirst.slice(0, FIRST_EVENTS)
  return (
    <Section title="What happened" flush>
      <ol className={classes.events} data-testid="service-events">
        {shown.map(({ at, kind, release, text }, index) => {
          const { Icon, tone, text: title } = looks[kind]
          return (
            <li key={`${at} ${index}`} className={classes.event} data-kind={kind}>
              <span className="es-dim es-num" title={formatExactMoment(at)}>
                {formatMoment(at, now)}
              </span>
              <span className={classes.icon} data-tone={tone}>
                <Icon size={14} stroke={1.8} aria-hidden />
              </span>
              <span className="es-wrap">
                <strong>{title}</strong> {release === null ? null : <span className="es-mono es-dim">{shortRelease(release)}</span>}{' '}
                {plainText(shortened(text), 600)}
              </span>
            </li>
          )
        })}
        {events.length === 0 ? <li className={`${classes.none} es-dim`}>Nothing yet.</li> : null}
      </ol>
      {shown.length < events.length ? (
        <div className={classes.more}>
          <Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>
            Show all {formatCount(events.length)}
          </Button>
        </div>
      ) : null}
    </Section>
  )
}
