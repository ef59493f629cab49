import { IconFlame } from '@tabler/icons-react'
import { plainText } from '../format/plain-text.ts'
import classes from './throttle-chip.module.css'

/** What holds a machine's clocks down right now; nothing when nothing does. */
export function ThrottleChip({ causes }: { causes: readonly string[] }) {
  if (causes.length === 0) return null
  return (
    <span className={classes.chip} data-testid="throttled">
      <IconFlame size={13} stroke={1.8} aria-hidden />
      throttled: {causes.map((cause) => plainText(cause, 60)).join(', ')}
    </span>
  )
}
