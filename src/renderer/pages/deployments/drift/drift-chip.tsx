import { IconAlertTriangle, IconCheck, IconHourglass, IconWaveSine } from '@tabler/icons-react'
import classes from './drift.module.css'
import type { driftLevel } from './drift-order.ts'

const looks = {
  severe: { className: classes.severe, Icon: IconAlertTriangle, text: 'severe' },
  drifted: { className: classes.drifted, Icon: IconWaveSine, text: 'drifted' },
  none: { className: classes.calm, Icon: IconCheck, text: 'none' },
  collecting: { className: classes.collecting, Icon: IconHourglass, text: 'collecting' },
} as const

/** How far values have moved from the reference, with a sign for those who do not see colours. */
export function DriftChip({ level }: { level: NonNullable<ReturnType<typeof driftLevel>> }) {
  const { className, Icon, text } = looks[level]
  return (
    <span className={`${classes.chip} ${className}`} data-level={level}>
      <Icon size={12} stroke={2} aria-hidden />
      {text}
    </span>
  )
}
