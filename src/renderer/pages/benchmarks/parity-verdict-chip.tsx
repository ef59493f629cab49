import { IconEqual, IconEqualNot, IconTilde } from '@tabler/icons-react'
import type { ParityResult } from '../../../contract/parity.ts'
import classes from '../../components/verdict-chip.module.css'

const looks = {
  identical: { className: classes.faster, Icon: IconEqual },
  'within rounding': { className: classes.faster, Icon: IconTilde },
  different: { className: classes.slower, Icon: IconEqualNot },
} as const satisfies Record<ParityResult['verdict'], unknown>

/** Whether two machines give the same, with a sign for those who do not see colours. */
export function ParityVerdictChip({ verdict }: { verdict: ParityResult['verdict'] }) {
  const { className, Icon } = looks[verdict]
  return (
    <span className={`${classes.chip} ${className}`}>
      <Icon size={12} stroke={2.2} aria-hidden />
      {verdict}
    </span>
  )
}
