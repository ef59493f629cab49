import { Link } from 'wouter'
import type { Model } from '../../../contract/model.ts'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels, formatShrink } from '../../format/shares.ts'
import { useNow } from '../../hooks/use-now.ts'
import { recipeText } from '../../text/recipe-text.ts'
import classes from './recent-builds.module.css'

/** Shown at most; the Models page has all. */
const SHOWN = 8

/** Builds made lately, newest first: what was tried is not forgotten. */
export function RecentBuilds({ models }: { models: readonly Model[] }) {
  const now = useNow(60_000)
  const builds = models
    .filter(({ kind }) => kind === 'build')
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .slice(0, SHOWN)
  if (builds.length === 0) return null
  return (
    <Section title="Builds made before" flush>
      <table className={tableClasses.table}>
        <thead>
          <tr>
            <th scope="col">Build</th>
            <th scope="col">Recipe</th>
            <th scope="col">Size</th>
            <th scope="col">SQNR</th>
            <th scope="col">Made</th>
          </tr>
        </thead>
        <tbody>
          {builds.map(({ id, name, recipe, summary, createdAt }) => (
            <tr key={id}>
              <td className={`${classes.name} es-wrap`}>
                <Link href={`/models/${id}`} className={classes.link}>
                  {plainText(name, 80)}
                </Link>
              </td>
              <td className="es-dim">{recipe ? recipeText(recipe) : ''}</td>
              <td className="es-num">{summary ? formatShrink(summary.input.sizeBytes, summary.output.sizeBytes) : ''}</td>
              <td className="es-num">{summary ? formatDecibels(summary.fidelity.sqnrDb) : ''}</td>
              <td className="es-num es-dim" title={formatExactMoment(createdAt)}>
                {formatMoment(createdAt, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}
