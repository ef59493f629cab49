import { IconAlertTriangle } from '@tabler/icons-react'
import { plainText } from '../format/plain-text.ts'
import classes from './warning-list.module.css'

/** Things that make a result less sure. Never hidden; nothing is drawn when there are none. */
export function WarningList({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null
  return (
    <ul className={classes.list} aria-label="Warnings" data-testid="warnings">
      {warnings.map((warning) => (
        <li key={warning} className={classes.item}>
          <IconAlertTriangle size={14} stroke={1.8} aria-hidden />
          <span className="es-wrap">{plainText(warning, 600)}</span>
        </li>
      ))}
    </ul>
  )
}
