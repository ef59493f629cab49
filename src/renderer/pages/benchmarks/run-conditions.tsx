import type { Benchmark } from '../../../contract/measurement.ts'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { plainText } from '../../format/plain-text.ts'
import { NoiseChip } from './noise-chip.tsx'
import classes from './runs.module.css'

/** How quiet the machine was, and what was looked at before measuring. */
export function RunConditions({ run: { noise, preflight } }: { run: Benchmark }) {
  return (
    <Section title="Conditions" aside={<NoiseChip noise={noise} />} flush>
      {noise.reasons.length > 0 ? (
        <ul className={`${classes.reasons} ${classes.conditions}`} data-testid="noise-reasons">
          {noise.reasons.map((reason) => (
            <li key={reason} className="es-wrap">
              {plainText(reason, 400)}
            </li>
          ))}
        </ul>
      ) : null}
      {preflight.length > 0 ? (
        <table className={tableClasses.table} data-testid="preflight">
          <thead>
            <tr>
              <th scope="col">Looked at before</th>
              <th scope="col">Found</th>
              <th scope="col">Wanted</th>
              <th scope="col">Good</th>
            </tr>
          </thead>
          <tbody>
            {preflight.map(({ name, found, wanted, ok }) => (
              <tr key={name}>
                <td>{plainText(name, 80)}</td>
                <td className="es-wrap">{plainText(found, 200)}</td>
                <td className="es-wrap es-dim">{plainText(wanted, 200)}</td>
                <td className={ok ? undefined : classes.failed}>{ok ? 'yes' : 'no'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className={classes.none}>Nothing about the machine was looked at before this run.</p>
      )}
    </Section>
  )
}
