import type { Target } from '../../../contract/names.ts'
import { Section } from '../../components/section.tsx'
import { recipeGuides } from '../../text/recipe-guide.ts'
import { targetGuides } from '../../text/target-guide.ts'
import classes from './expectations.module.css'
import type { DraftStep } from './optimize-draft.ts'

interface ExpectationsProps {
  readonly steps: readonly DraftStep[]
  readonly target: Target | null
}

/** What the chosen steps usually bring and cost, in plain words. */
export function Expectations({ steps, target }: ExpectationsProps) {
  const names = [...new Set(steps.map((step) => step.recipe))]
  return (
    <Section title="What to expect">
      {names.length === 0 ? (
        <p className={classes.lead}>
          Add a step to see what it usually does to size, speed and accuracy. These are rules of thumb: Edgesmith runs every build once to
          verify it, and Compare measures what it really bought on your device.
        </p>
      ) : (
        <>
          {names.map((name) => {
            const guide = recipeGuides[name]
            return (
              <div key={name} className={classes.recipe}>
                <h4>{guide.title}</h4>
                <dl>
                  <dt>Size</dt>
                  <dd>{guide.size}</dd>
                  <dt>Speed</dt>
                  <dd>{guide.speed}</dd>
                  <dt>Accuracy</dt>
                  <dd>{guide.accuracy}</dd>
                </dl>
              </div>
            )
          })}
          <p className={classes.note}>
            {target ? `${targetGuides[target].title}: ${targetGuides[target].note} ` : ''}
            These are rules of thumb. Compare measures what the build really bought on your device.
          </p>
        </>
      )}
    </Section>
  )
}
