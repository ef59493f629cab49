import { Section } from '../../../components/section.tsx'
import { TriedVersion } from './tried-version.tsx'
import type { VersionRow } from './version-rows.ts'
import classes from './versions.module.css'

/** The versions beside the current one, each with what can be done with it; nothing where there are none. */
export function TriedVersions({ deploymentId, rows }: { deploymentId: string; rows: readonly VersionRow[] }) {
  const tried = rows.filter(({ role }) => role === 'beside')
  if (tried.length === 0) return null
  return (
    <Section title="Being tried">
      <ul className={classes.tried}>
        {tried.map((row) => (
          <TriedVersion key={row.release} deploymentId={deploymentId} row={row} />
        ))}
      </ul>
    </Section>
  )
}
