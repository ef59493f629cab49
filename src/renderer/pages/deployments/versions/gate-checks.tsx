import { IconCheck, IconX } from '@tabler/icons-react'
import type { GateCheck } from '../../../../contract/routing.ts'
import { plainText } from '../../../format/plain-text.ts'
import classes from './versions.module.css'

/** What a release had to show before its first request, and whether it did. */
export function GateChecks({ checks }: { checks: readonly GateCheck[] }) {
  return (
    <ul className={classes.checks}>
      {checks.map(({ name, passed, text }, index) => (
        <li key={`${name} ${index}`} className={classes.check}>
          {passed ? (
            <IconCheck size={14} className={classes.passed} aria-label="passed" />
          ) : (
            <IconX size={14} className={classes.missed} aria-label="not passed" />
          )}
          <span>{name}</span>
          <span className="es-wrap es-dim">{plainText(text, 1000)}</span>
        </li>
      ))}
    </ul>
  )
}
