import { IconArrowDown, IconArrowUp, IconEqual } from '@tabler/icons-react'
import type { Speedup } from '../../contract/measurement.ts'
import classes from './verdict-chip.module.css'

const looks = {
  faster: { className: classes.faster, Icon: IconArrowUp },
  slower: { className: classes.slower, Icon: IconArrowDown },
  'no difference shown': { className: classes.same, Icon: IconEqual },
} as const satisfies Record<Speedup['verdict'], unknown>

/** The verdict of a comparison in its own words, with a sign for those who do not see colours. */
export function VerdictChip({ verdict }: { verdict: Speedup['verdict'] }) {
  const { className, Icon } = looks[verdict]
  return (
    <span className={`${classes.chip} ${className}`}>
      <Icon size={12} stroke={2.2} aria-hidden />
      {verdict}
    </span>
  )
}
