import { IconEye, IconStairsUp } from '@tabler/icons-react'
import type { ServiceLive } from '../../../../contract/service-protocol.ts'
import { formatElapsed } from '../../../format/durations.ts'
import { plainText } from '../../../format/plain-text.ts'
import classes from './rollout-progress.module.css'
import { shortRelease } from './version-rows.ts'

/** What goes on by itself: the watch over a switch, the steps of a canary. Nothing where nothing does. */
export function RolloutProgress({ live }: { live: Pick<ServiceLive, 'watch' | 'canary' | 'draining'> }) {
  const { watch, canary, draining } = live
  if (!watch && !canary && !draining) return null
  return (
    <div className={classes.list} role="status">
      {draining ? <div className={classes.note}>Finishing the requests it has; it takes no new ones.</div> : null}
      {canary ? (
        <div className={classes.note} data-testid="canary-progress" data-step={canary.step}>
          <IconStairsUp size={16} stroke={1.8} aria-hidden />
          <span className="es-wrap">
            <strong>
              Canary {shortRelease(canary.release)}, step {Math.min(canary.step + 1, canary.steps.length)} of {canary.steps.length}:
            </strong>{' '}
            {canary.steps.map((weight) => `${weight}%`).join(' → ')} → 100%. {waitingText(canary)}
            <Found text={canary.found} />
          </span>
        </div>
      ) : null}
      {watch ? (
        <div className={classes.note} data-testid="watch-progress">
          <IconEye size={16} stroke={1.8} aria-hidden />
          <span className="es-wrap">
            <strong>{shortRelease(watch.release)} is watched</strong> for {formatElapsed(Math.max(0, watch.secondsLeft) * 1000)} more. If it
            breaks its limits or takes the service down, the version before serves again by itself.
            <Found text={watch.found} />
          </span>
        </div>
      ) : null}
    </div>
  )
}

/** What is known so far; nothing of an agent that does not say it. */
function Found({ text }: { text: string }) {
  return text === '' ? null : <div className="es-dim">So far: {plainText(text, 1000)}.</div>
}

function waitingText({ secondsLeft, waitingFor }: NonNullable<ServiceLive['canary']>): string {
  const left = secondsLeft > 0 ? `${formatElapsed(secondsLeft * 1000)} until the next step. ` : ''
  return waitingFor === '' ? left : `${left}Waits for ${plainText(waitingFor, 300)}.`
}
