import { IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import type { DeviceReport } from '../../../contract/device.ts'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { plainText } from '../../format/plain-text.ts'
import classes from './device-checks.module.css'

/** What the agent needs, checked before anything is sent; failed checks come first and name their code. */
export function DeviceChecks({ checks }: { checks: DeviceReport['checks'] }) {
  const sorted = [...checks.filter(({ ok }) => !ok), ...checks.filter(({ ok }) => ok)]
  const failed = checks.filter(({ ok }) => !ok).length
  if (sorted.length === 0) return null
  return (
    <Section
      title="Can the agent run here?"
      aside={failed === 0 ? `yes: all ${checks.length} checks passed` : `no: ${failed} of ${checks.length} failed`}
      flush
    >
      <table className={tableClasses.table}>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Found</th>
            <th scope="col">Needed</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ name, ok, found, needed, code }) => (
            <tr key={name} data-testid={`check-${name}`} data-ok={ok}>
              <td>
                <span className={classes.name}>
                  {ok ? (
                    <IconCircleCheck size={15} stroke={1.8} className={classes.ok} aria-label="passed" />
                  ) : (
                    <IconCircleX size={15} stroke={1.8} className={classes.failed} aria-label="failed" />
                  )}
                  {plainText(name, 80)}
                </span>
              </td>
              <td className="es-wrap">
                {plainText(found, 200)}
                {code && !ok ? <div className={`${classes.failed} es-mono`}>{plainText(code, 60)}</div> : null}
              </td>
              <td className="es-wrap es-dim">{plainText(needed, 200)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}
